import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";

/** Starts a new run with the input of another, on the current release. */
export async function runsReplay(
  { terminal, options }: { terminal: Terminal; options: CommonOptions & { env: string } },
  id: string,
): Promise<number> {
  const client = await connect(options.env, options.project);
  const run = await client.replay(id);
  if (options.json) terminal.json(run);
  else terminal.out(`${run.id} replays ${id} on release ${run.release}. Follow it: flow-run runs watch ${run.id} --env ${options.env}\n`);
  return EXIT.fine;
}
