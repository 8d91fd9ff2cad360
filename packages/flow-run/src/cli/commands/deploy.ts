import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { EXIT } from "../exit-code.ts";
import { loadBundle } from "../load-project.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";

interface Options extends CommonOptions {
  env: string;
  message?: string;
  model: string[];
}

/** Compiles the project and makes it the environment's current release. */
export async function deploy({ terminal, options }: { terminal: Terminal; options: Options }): Promise<number> {
  const { root, bundle } = await loadBundle(options.project, options.model, terminal);
  const client = await connect(options.env, root);
  const { author, commit } = await origin(root);
  const result = await client.deploy({ bundle, author, commit, message: options.message ?? null });
  if (options.json) terminal.out(`${JSON.stringify(result, null, 2)}\n`);
  else if (!result.changed) terminal.out(`${options.env} already runs this as release ${result.release}: nothing to do.\n`);
  else {
    const before = result.previousRelease === null ? "its first" : `after ${result.previousRelease}`;
    terminal.out(`${terminal.style("green", "✓")} ${options.env} now runs release ${result.release} (${before}), ${Object.keys(bundle.flows).length} flows.\n`);
  }
  if (result.missingSecrets.length > 0) {
    terminal.err(
      `${terminal.style("yellow", "warning")}: the server has no value for ${result.missingSecrets.join(", ")}. Set ${result.missingSecrets.length === 1 ? "it" : "them"} in its environment before a run needs ${result.missingSecrets.length === 1 ? "it" : "them"}.\n`,
    );
  }
  return EXIT.fine;
}

/** Who deploys what, as far as Git or the pipeline tells. */
async function origin(root: string): Promise<{ author: string | null; commit: string | null }> {
  const git = async (...args: string[]) => {
    try {
      return (await promisify(execFile)("git", ["-C", root, ...args])).stdout.trim() || null;
    } catch {
      return null;
    }
  };
  const [author, commit, dirty] = await Promise.all([git("config", "user.name"), git("rev-parse", "HEAD"), git("status", "--porcelain", "--", ".")]);
  return {
    author: process.env.GITHUB_ACTOR ?? process.env.GITLAB_USER_LOGIN ?? author ?? process.env.USER ?? null,
    commit: commit && dirty ? `${commit}-dirty` : commit,
  };
}
