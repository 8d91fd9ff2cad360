import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";
import { runSummary } from "../views/run.ts";

/** Cancels a run that has not ended. One that runs ends a moment later: its status may still be `running`. */
export async function runsCancel(
  { terminal, options }: { terminal: Terminal; options: CommonOptions & { env: string } },
  id: string,
): Promise<number> {
  const client = await connect(options.env, options.project);
  const run = await client.cancel(id);
  if (options.json) terminal.json(run);
  else terminal.out(`${run.id}  ${runSummary(run, terminal)}${run.finishedAt === null ? "; it will end as cancelled" : ""}\n`);
  return EXIT.fine;
}
