import type { Run, Step } from "@flow-run/spec";
import type { Bundle } from "../../compile/index.ts";
import type { EngineEvent } from "../../engine/index.ts";
import { checkInput } from "../check-input.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";
import { findFlow } from "../find-flow.ts";
import { loadBundle } from "../load-project.ts";
import type { CommonOptions } from "../program.ts";
import { readInput } from "../read-input.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";
import { duration } from "../views/money.ts";
import { outputView, runSummary, stepsView } from "../views/run.ts";

interface Options extends CommonOptions {
  input?: string;
  env?: string;
  model: string[];
  steps?: boolean;
}

/** Runs a flow in this process, or on an environment's server with `--env`. Exit 1 when the run does not succeed. */
export async function run(context: { terminal: Terminal; options: Options }, flow: string, pairs: string[]): Promise<number> {
  const { terminal, options } = context;
  const { run, steps, streamed } = options.env === undefined ? await here(context, flow, pairs) : await there(context, options.env, flow, pairs);
  if (options.json) terminal.out(`${JSON.stringify(run, null, 2)}\n`);
  else {
    if (run.status === "succeeded") terminal.out(streamed ? "\n" : `${outputView(run.output)}\n`);
    if (run.error) {
      const place = run.error.step ? ` in step ${run.error.step}` : "";
      terminal.err(`${terminal.style("red", "error")} [${run.error.code}]${place}: ${printable(run.error.message)}\n`);
    }
    if (options.steps) terminal.err(`\n${stepsView(run, steps, terminal)}\n`);
    terminal.err(`${runSummary(run, terminal)}\n`);
  }
  return run.status === "succeeded" ? EXIT.fine : EXIT.failed;
}

async function here({ terminal, options }: { terminal: Terminal; options: Options }, flow: string, pairs: string[]) {
  const { bundle } = await loadBundle(options.project, options.model, terminal);
  const compiled = findFlow(bundle, flow);
  const input = checkInput(compiled, await readInput(options.input, pairs, compiled.input));
  checkSecrets(bundle);
  const { runLocally } = await import("../../compose.ts");
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.once("SIGINT", stop);
  const progress = showProgress(terminal, options, compiled.kind === "task");
  try {
    return { ...(await runLocally({ bundle, environment: "local", flow, input, onEvent: progress.onEvent, signal: controller.signal })), streamed: progress.streamed() };
  } finally {
    process.off("SIGINT", stop);
  }

  function checkSecrets(checked: Bundle): void {
    for (const [name, provider] of Object.entries(checked.providers)) {
      if (!usedProviders(checked, flow).has(name)) continue;
      const missing = provider.secrets.find((secret) => !process.env[secret]);
      if (missing) {
        throw new CommandError(`${flow} uses the provider ${name}, which needs the secret ${missing}. Set the environment variable ${missing}, or swap the model: --model NAME=PROVIDER/MODEL.`, {
          code: "missing-secret",
        });
      }
    }
  }
}

async function there({ terminal, options }: { terminal: Terminal; options: Options }, environment: string, flow: string, pairs: string[]): Promise<{ run: Run; steps: Step[]; streamed: boolean }> {
  if (options.model.length > 0) throw new CommandError("--model swaps models of local runs. On a server, deploy with another model: flow-run deploy --model …");
  const { connect } = await import("../remote.ts");
  const client = await connect(environment, options.project);
  const described = await client.flow(flow);
  const input = await readInput(options.input, pairs, described.input as never);
  const accepted = await client.startRun(flow, { input });
  if (!options.json) terminal.err(terminal.style("dim", `${accepted.id} on ${environment}, release ${accepted.release}\n`));
  let streamed = false;
  for await (const event of client.events(accepted.id)) {
    if (event.type === "text-delta" && described.kind === "task" && !options.json) {
      terminal.out(printable(event.text));
      streamed = true;
    }
    if (event.type === "run-finished") return { run: event.run, steps: await client.steps(accepted.id), streamed };
  }
  return { run: await client.waitForRun(accepted.id), steps: await client.steps(accepted.id), streamed };
}

/** Steps as they begin and end on standard error; the text of a single prompt on standard output as it comes. */
function showProgress(terminal: Terminal, options: Options, isTask: boolean) {
  let streamed = false;
  return {
    streamed: () => streamed,
    onEvent(event: EngineEvent): void {
      if (options.json) return;
      if (event.type === "text-delta") {
        if (isTask) {
          terminal.out(printable(event.text));
          streamed = true;
        } else if (terminal.errIsTerminal) terminal.err(terminal.style("dim", printable(event.text)));
      } else if (event.type === "text-restarted" && streamed) {
        terminal.err(terminal.style("yellow", "\n… the answer broke off; asked again\n"));
      } else if (event.type === "step-finished" && !isTask) {
        const mark = event.status === "failed" ? terminal.style("red", "✗") : event.status === "skipped" ? "–" : terminal.style("green", "✓");
        terminal.err(`${terminal.errIsTerminal ? "\n" : ""}${mark} ${printable(event.path)} ${terminal.style("dim", duration(event.durationMs))}\n`);
      } else if (event.type === "attempt-ended" && event.errorCode !== null) {
        terminal.err(terminal.style("yellow", `  ${printable(event.path)} attempt ${event.number} on ${event.provider}/${event.model}: ${event.errorCode}\n`));
      } else if (event.type === "engine-defect") {
        terminal.err(`${(event.error as Error)?.stack ?? String(event.error)}\n`);
      }
    },
  };
}

/** Providers that a flow can reach through its prompts and the flows it runs. */
export function usedProviders(bundle: Bundle, flow: string): Set<string> {
  const used = new Set<string>();
  const seen = new Set<string>();
  const visit = (name: string) => {
    const compiled = bundle.flows[name];
    if (!compiled || seen.has(name)) return;
    seen.add(name);
    if (compiled.kind === "task") {
      const model = bundle.models[compiled.model];
      const targets = model ? model.targets : [{ provider: compiled.model.split("/")[0]!, model: "" }];
      // A fallback without its key is no reason to refuse: the first target may well answer.
      if (targets[0]) used.add(targets[0].provider);
    } else for (const callee of calleesOf(compiled.steps)) visit(callee);
  };
  visit(flow);
  return used;
}

type Steps = Extract<Bundle["flows"][string], { kind: "workflow" }>["steps"];

function calleesOf(steps: Steps): string[] {
  return steps.flatMap((step) => {
    if (step.kind === "parallel") return calleesOf(step.steps);
    const rescue = typeof step.onError === "object" ? [step.onError.run] : [];
    return step.kind === "run" ? [step.flow, ...rescue] : rescue;
  });
}
