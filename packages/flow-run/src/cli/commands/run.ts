import { EXIT } from "../exit-code.ts";
import type { RunOptions } from "../run-here.ts";
import { errorSide, printable, type Terminal } from "../terminal.ts";
import { outputText, runSummary, stepsView } from "../views/run.ts";

/** Runs a flow in this process, or on an environment's server with `--env`. Exit 1 when the run does not succeed. */
export async function run(
  { terminal, options }: { terminal: Terminal; options: RunOptions },
  flow: string,
  pairs: string[],
): Promise<number> {
  const { run, steps, shown } =
    options.env === undefined
      ? await (await import("../run-here.ts")).runHere(terminal, options, flow, pairs)
      : await (await import("../run-there.ts")).runThere(terminal, options, options.env, flow, pairs);
  if (options.json) terminal.json(options.steps ? { ...run, steps } : run);
  else {
    if (run.status === "succeeded" && !shown) terminal.outText(`${outputText(run.output)}\n`);
    const errors = errorSide(terminal);
    if (options.steps && steps.length > 0) terminal.err(`\n${stepsView(run, steps, errors)}\n\n`);
    if (run.error) {
      const place = run.error.step ? ` in step ${printable(run.error.step)}` : "";
      terminal.err(`${errors.style("red", "error")} [${run.error.code}]${place}: ${printable(run.error.message)}\n`);
    }
    terminal.err(`${runSummary(run, errors)}\n`);
  }
  return run.status === "succeeded" ? EXIT.fine : EXIT.failed;
}
