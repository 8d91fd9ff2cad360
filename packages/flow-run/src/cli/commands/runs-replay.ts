import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";

export async function runsReplay({ terminal, options }: { terminal: Terminal; options: CommonOptions & { env: string } }, id: string): Promise<number> {
  const client = await connect(options.env, options.project);
  const run = await client.replay(id);
  terminal.out(
    options.json ? `${JSON.stringify(run, null, 2)}\n` : `${run.id} replays ${id} on release ${run.release}. Follow it: flow-run runs watch ${run.id}\n`,
  );
  return EXIT.fine;
}
