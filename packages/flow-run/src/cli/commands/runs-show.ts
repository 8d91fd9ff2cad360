import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";
import { runView } from "../views/run.ts";

export async function runsShow(
  { terminal, options }: { terminal: Terminal; options: CommonOptions & { env: string } },
  id: string,
): Promise<number> {
  const client = await connect(options.env, options.project);
  const [run, steps] = await Promise.all([client.getRun(id), client.steps(id)]);
  if (options.json) terminal.json({ ...run, steps });
  else terminal.out(runView(run, steps, terminal));
  return EXIT.fine;
}
