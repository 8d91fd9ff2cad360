import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";
import { duration } from "../views/money.ts";
import { runView } from "../views/run.ts";

/** Follows a run until it ends; exit 1 when it did not succeed. */
export async function runsWatch({ terminal, options }: { terminal: Terminal; options: CommonOptions & { env: string } }, id: string): Promise<number> {
  const client = await connect(options.env, options.project);
  for await (const event of client.events(id)) {
    if (options.json) terminal.out(`${JSON.stringify(event)}\n`);
    else if (event.type === "step-started") terminal.err(terminal.style("dim", `… ${printable(event.path)}\n`));
    else if (event.type === "step-finished") {
      const { step } = event;
      const took = step.finishedAt ? Date.parse(step.finishedAt) - Date.parse(step.startedAt) : 0;
      const mark = step.status === "failed" ? terminal.style("red", "✗") : step.status === "skipped" ? "–" : terminal.style("green", "✓");
      terminal.err(`${mark} ${printable(step.path)} ${terminal.style("dim", duration(took))}\n`);
    }
    if (event.type === "run-finished") {
      if (!options.json) terminal.out(runView(event.run, await client.steps(id), terminal));
      return event.run.status === "succeeded" ? EXIT.fine : EXIT.failed;
    }
  }
  return EXIT.failed;
}
