import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";
import { table } from "../views/table.ts";

export async function releasesList({
  terminal,
  options,
}: {
  terminal: Terminal;
  options: CommonOptions & { env: string };
}): Promise<number> {
  const client = await connect(options.env, options.project);
  const releases = await client.releases();
  if (options.json) terminal.json(releases);
  else if (releases.length === 0)
    terminal.out(`Nothing was deployed to ${options.env} yet. Deploy: flow-run deploy --env ${options.env}\n`);
  else {
    const head = ["release", "", "created", "author", "commit", "message"].map((title) => terminal.style("dim", title));
    const rows = releases.map((release) => [
      String(release.number),
      release.current ? terminal.style("green", "current") : "",
      release.createdAt,
      printable(release.author ?? ""),
      release.commit?.slice(0, 10) ?? "",
      printable(release.message ?? ""),
    ]);
    terminal.out(`${table([head, ...rows], { right: [0] })}\n`);
  }
  return EXIT.fine;
}
