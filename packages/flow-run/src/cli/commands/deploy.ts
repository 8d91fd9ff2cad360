import { EXIT } from "../exit-code.ts";
import { askGit } from "../git.ts";
import { loadBundle } from "../load-project.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import { errorSide, type Terminal } from "../terminal.ts";
import { count } from "../views/diagnostics.ts";

interface Options extends CommonOptions {
  env: string;
  message?: string;
  model?: string[];
}

/** What a server takes; pipelines hand over whole commit messages. */
const LONGEST_MESSAGE = 2_000;

/** Compiles the project and makes it the environment's current release. */
export async function deploy({ terminal, options }: { terminal: Terminal; options: Options }): Promise<number> {
  const { root, bundle } = await loadBundle(options, terminal);
  const client = await connect(options.env, root);
  const { author, commit } = await origin(root);
  const message = options.message?.slice(0, LONGEST_MESSAGE) ?? null;
  const result = await client.deploy({ bundle, author, commit, message });
  if (options.json) {
    terminal.json(result);
    return EXIT.fine;
  }
  if (!result.changed) terminal.out(`${options.env} already runs this as release ${result.release}: nothing to do.\n`);
  else {
    const before = result.previousRelease === null ? "its first" : `after release ${result.previousRelease}`;
    const flows = count(Object.keys(bundle.flows).length, "flow");
    terminal.out(`${terminal.style("green", "✓")} ${options.env} now runs release ${result.release} (${before}): ${flows}.\n`);
  }
  if (result.missingSecrets.length > 0) {
    const names = result.missingSecrets.join(", ");
    terminal.err(
      `${errorSide(terminal).style("yellow", "warning")}: the server has no value for ${names}; runs that need it fail until its environment has one.\n`,
    );
  }
  return EXIT.fine;
}

/** Who deploys what, as far as Git or the pipeline tells. */
async function origin(root: string): Promise<{ author: string | null; commit: string | null }> {
  const [author, commit, changed] = await Promise.all([
    askGit(root, "config", "user.name"),
    askGit(root, "rev-parse", "HEAD"),
    askGit(root, "status", "--porcelain", "--", "."),
  ]);
  return {
    author: process.env.GITHUB_ACTOR || process.env.GITLAB_USER_LOGIN || author || process.env.USER || null,
    commit: commit && changed ? `${commit}-dirty` : commit,
  };
}
