import { join } from "node:path";
import type { Run, Step } from "@flow-run/spec";
import type { EngineEvent } from "../engine/index.ts";
import { checkInput } from "./check-input.ts";
import { findFlow } from "./find-flow.ts";
import { loadBundle } from "./load-project.ts";
import type { CommonOptions } from "./program.ts";
import { readInput } from "./read-input.ts";
import type { Terminal } from "./terminal.ts";
import { checkSecrets } from "./used-providers.ts";
import { type Progress, silentProgress, stepProgress, textProgress } from "./views/progress.ts";

/** Options of `flow-run run`. */
export interface RunOptions extends CommonOptions {
  input?: string;
  env?: string;
  model?: string[];
  steps?: boolean;
}

/** A run that has ended. `shown`: its output stands on standard output already. */
export interface EndedRun {
  run: Run;
  steps: Step[];
  shown: boolean;
}

/** Code of an attempt that was given up because its run was. */
const CANCELLED = "aborted";

/** Runs a flow in this process. Ctrl-C cancels it; a second one ends the process. */
export async function runHere(terminal: Terminal, options: RunOptions, flow: string, pairs: string[]): Promise<EndedRun> {
  const { root, bundle } = await loadBundle(options, terminal);
  const compiled = findFlow(bundle, flow);
  const input = checkInput(compiled, await readInput(options.input, pairs, compiled.input));
  checkSecrets(bundle, flow);
  const { runLocally } = await import("../compose.ts");
  const isText = compiled.kind === "task" && compiled.output.format === "text";
  const progress = options.json ? silentProgress() : isText ? textProgress(terminal) : stepProgress(terminal);
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    const ended = await runLocally({
      bundle,
      environment: "local",
      flow,
      input,
      onEvent: (event) => show(event, progress, terminal),
      signal: controller.signal,
      cacheDirectory: join(root, ".flow-run", "cache"),
    });
    return { ...ended, shown: progress.end() };
  } finally {
    progress.end();
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

function show(event: EngineEvent, progress: Progress, terminal: Terminal): void {
  if (event.type === "step-started") progress.stepStarted(event.path);
  else if (event.type === "step-finished") progress.stepFinished(event.path, event.status, event.durationMs);
  else if (event.type === "text-delta") progress.text(event.text, event.path);
  else if (event.type === "text-restarted") progress.textRestarted(event.path);
  else if (event.type === "attempt-ended" && event.errorCode !== null && event.errorCode !== CANCELLED) {
    progress.attemptFailed(event.path, event.number, `${event.provider}/${event.model}`, event.errorCode);
  } else if (event.type === "engine-defect") {
    terminal.err(`flow-run failed in a way it should not have. Please report this:\n${(event.error as Error)?.stack ?? event.error}\n`);
  }
}
