import type { JsonSchema } from "@flow-run/spec";
import { CommandError } from "./command-error.ts";
import { readInput } from "./read-input.ts";
import { connect } from "./remote.ts";
import type { EndedRun, RunOptions } from "./run-here.ts";
import { errorSide, type Terminal } from "./terminal.ts";
import { silentProgress, stepProgress, textProgress } from "./views/progress.ts";
import { watchRun } from "./watch-run.ts";

/** Starts a flow on an environment's server and follows it. Ctrl-C stops following: the run goes on there. */
export async function runThere(
  terminal: Terminal,
  options: RunOptions,
  environment: string,
  flow: string,
  pairs: string[],
): Promise<EndedRun> {
  if (options.model) {
    throw new CommandError(
      "--model swaps models of local runs. For runs on a server, deploy with it: flow-run deploy --model NAME=PROVIDER/MODEL",
    );
  }
  const client = await connect(environment, options.project);
  const described = await client.flow(flow);
  const input = await readInput(options.input, pairs, described.input as JsonSchema);
  const schema = described.output;
  const isText = described.kind === "task" && typeof schema === "object" && schema !== null && schema.type === "string";
  const accepted = await client.startRun(flow, { input, ...(isText && !options.json ? { stream: true } : {}) });
  const { style } = errorSide(terminal);
  if (!options.json) terminal.err(`${style("dim", `${accepted.id} on ${environment}, release ${accepted.release}`)}\n`);
  const progress = options.json ? silentProgress() : isText ? textProgress(terminal) : stepProgress(terminal);
  const stop = () => {
    progress.end();
    terminal.err(
      `\nThe run goes on. Follow it: flow-run runs watch ${accepted.id} --env ${environment}   End it: flow-run runs cancel ${accepted.id} --env ${environment}\n`,
    );
    process.exit(130);
  };
  process.once("SIGINT", stop);
  try {
    const run = await watchRun(client, accepted.id, progress);
    return { run, steps: await client.steps(run.id), shown: progress.end() };
  } finally {
    progress.end();
    process.off("SIGINT", stop);
  }
}
