import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";
import { runSummary } from "../views/run.ts";

export async function runsCancel({ terminal, options }: { terminal: Terminal; options: CommonOptions & { env: string } }, id: string): Promise<number> {
  const client = await connect(options.env, options.project);
  const run = await client.cancel(id);
  terminal.out(options.json ? `${JSON.stringify(run, null, 2)}\n` : `${run.id}  ${runSummary(run, terminal)}\n`);
  return EXIT.fine;
}
