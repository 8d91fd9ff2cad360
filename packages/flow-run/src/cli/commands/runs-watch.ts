import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";
import { silentProgress, stepProgress } from "../views/progress.ts";
import { runView } from "../views/run.ts";
import { watchRun } from "../watch-run.ts";

/** Follows a run until it ends, then shows it as `runs show` does; exit 1 when it did not succeed. */
export async function runsWatch(
  { terminal, options }: { terminal: Terminal; options: CommonOptions & { env: string } },
  id: string,
): Promise<number> {
  const client = await connect(options.env, options.project);
  const progress = options.json ? silentProgress() : stepProgress(terminal, { showText: true });
  try {
    const run = await watchRun(client, id, progress);
    const steps = await client.steps(id);
    progress.end();
    if (options.json) terminal.json({ ...run, steps });
    else terminal.out(runView(run, steps, terminal));
    return run.status === "succeeded" ? EXIT.fine : EXIT.failed;
  } finally {
    progress.end();
  }
}
