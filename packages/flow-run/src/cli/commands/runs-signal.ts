import type { Json } from "@flow-run/spec";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";
import { runSummary } from "../views/run.ts";

/** Sends a signal to a run that waits for it. */
export async function runsSignal(
  { terminal, options }: { terminal: Terminal; options: CommonOptions & { env: string; payload?: string } },
  id: string,
  name: string,
): Promise<number> {
  const payload = options.payload === undefined ? null : readPayload(options.payload);
  const client = await connect(options.env, options.project);
  const run = await client.signal(id, name, payload);
  if (options.json) terminal.json(run);
  else terminal.out(`${run.id}  ${runSummary(run, terminal)}; it has the signal ${name}\n`);
  return EXIT.fine;
}

function readPayload(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new CommandError(`--payload is not JSON: ${(error as Error).message}. Write for example --payload '{"ok": true}'.`);
  }
}
