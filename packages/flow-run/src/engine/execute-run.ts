import type { Json } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import type { Journal, RunEnd } from "../store/index.ts";
import { executeFlow } from "./execute-flow.ts";
import { Interruption, isInterruption } from "./interruption.ts";
import type { RunBell } from "./run-bell.ts";
import type { EngineRelease, EngineWorld, FlowPlace, RunToExecute } from "./run-context.ts";
import { RunContext, StepFailedError, toRunError } from "./run-context.ts";
import { withTimeout } from "./step-timeout.ts";

/** How an execution ended: the run's end, durably recorded, or the reason why this process stopped before the end. */
export type ExecutionOutcome = { ended: RunEnd } | { stopped: "fenced" | "released" | "waiting" | "database-unavailable"; error?: unknown };

/**
 * Executes a run from wherever its journal stands to its end. Never throws for a failure of the run. The end is durable when this resolves with `ended`.
 * Aborting `signal` with an `Interruption` stops it: `cancelled` ends the run, other reasons leave it for another owner. A run that only waits is suspended
 * (`stopped: "waiting"`) where the journal can keep waits; `bell` tells one that stays to look at them again.
 */
export async function executeRun(
  run: RunToExecute,
  release: EngineRelease,
  journal: Journal,
  world: EngineWorld,
  signal: AbortSignal,
  bell: RunBell = {},
): Promise<ExecutionOutcome> {
  const begunAtMs = world.clock.now();
  const context = new RunContext(run, release, journal, world, executeFlow);
  bell.onRing = () => context.standstill.lookAgain();
  context.emit({ type: "run-started", resumed: run.steps.length > 0 || Object.keys(run.attempts).length > 0 });
  const end = await walk(context, signal);
  if ("stopped" in end) {
    if (end.stopped === "waiting") return suspend(context);
    // Answers that arrived meanwhile are paid for: book them, whoever owns the run now.
    await journal.commit().catch(() => {});
    if (end.stopped === "fenced") context.emit({ type: "run-lost" });
    return end;
  }
  const recorded = await recordEnd(context, end);
  if ("stopped" in recorded) return recorded;
  context.emit({
    type: "run-finished",
    status: recorded.ended.status,
    error: recorded.ended.error,
    durationMs: run.elapsedMs + world.clock.now() - begunAtMs,
  });
  return recorded;
}

async function recordEnd(context: RunContext, end: RunEnd): Promise<ExecutionOutcome> {
  const { journal } = context;
  try {
    journal.appendEnd(end);
    await journal.commit();
    return { ended: end };
  } catch (error) {
    return afterRefusal(context, error, end.error?.code);
  }
}

async function suspend(context: RunContext): Promise<ExecutionOutcome> {
  const { journal, run, standstill } = context;
  const limitMs = context.durationLimitMs();
  try {
    await journal.waits!.suspend(standstill.paths, limitMs === undefined ? null : run.startedAtMs + limitMs);
    context.emit({ type: "run-waiting", paths: standstill.paths });
    return { stopped: "waiting" };
  } catch (error) {
    return afterRefusal(context, error);
  }
}

/** What could not be written. `triedCode`: the error that was to be written itself. */
async function afterRefusal(context: RunContext, error: unknown, triedCode?: string): Promise<ExecutionOutcome> {
  if (!FlowRunError.isInstance(error)) throw error;
  if (error.code === "fenced") {
    context.emit({ type: "run-lost" });
    return { stopped: "fenced" };
  }
  if (error.retryable || triedCode === error.code) return { stopped: "database-unavailable", error };
  // The database will never take this, for example an output that is nested too deeply: the run has failed, and that can be written.
  return recordEnd(context, failed(toRunError(error, context.run.flow)));
}

async function walk(context: RunContext, signal: AbortSignal): Promise<RunEnd | Extract<ExecutionOutcome, { stopped: string }>> {
  const { run } = context;
  try {
    return { status: "succeeded", output: await executeFirstFlow(context, signal), error: null };
  } catch (error) {
    const reason = signal.aborted ? signal.reason : error;
    if (reason instanceof Interruption) {
      if (reason.reason === "cancelled") return { status: "cancelled", output: null, error: null };
      const { reason: why } = reason;
      if (why === "fenced" || why === "released" || why === "waiting") return { stopped: why };
      return failed(toRunError(reason, null));
    }
    if (FlowRunError.isInstance(error)) {
      if (error.code === "fenced") return { stopped: "fenced" };
      if (error.code === "database-unavailable") return { stopped: "database-unavailable", error };
      return failed(error instanceof StepFailedError ? error.runError : toRunError(error, null));
    }
    context.emit({ type: "engine-defect", error });
    return failed({
      code: "engine-defect",
      message: `flow-run itself failed while it executed ${run.flow}; the server's log has the details. Please report it.`,
      step: null,
      retryable: false,
    });
  }
}

function failed(error: NonNullable<RunEnd["error"]>): RunEnd {
  return { status: "failed", output: null, error };
}

function firstPlace(path: string): FlowPlace {
  return { path, prefix: "", budget: null, depth: 0 };
}

/** The run's own flow. A task is itself the run's one step; a workflow's steps stand at the top of the journal. */
async function executeFirstFlow(context: RunContext, signal: AbortSignal): Promise<Json> {
  const { run, world } = context;
  const flow = context.release.flows.get(run.flow);
  if (flow?.kind !== "workflow") return executeOnlyStep(context, signal);
  const durationMs = context.durationLimitMs();
  const left = durationMs === undefined ? undefined : Math.max(0, durationMs - run.elapsedMs);
  const expired = () => new Interruption("deadline", `The run took longer than its limit of ${durationMs} ms.`);
  if (left === 0) throw expired(); // nothing is begun that could not end
  return withTimeout(world.clock, left, expired, signal, (bounded) => context.call(run.flow, run.input, firstPlace(run.flow), bounded));
}

async function executeOnlyStep(context: RunContext, signal: AbortSignal): Promise<Json> {
  const { run } = context;
  const path = run.flow;
  const recorded = context.recordedStep(path);
  if (recorded?.status === "succeeded") return recorded.output;
  if (recorded?.error) throw new StepFailedError(recorded.error);
  const startedAtMs = context.world.clock.now();
  context.emit({ type: "step-started", path, kind: "task" });
  try {
    const output = await context.call(run.flow, run.input, firstPlace(path), signal);
    context.finishStep({ path, kind: "task", status: "succeeded", input: run.input, output, error: null, startedAtMs });
    return output;
  } catch (error) {
    if (isInterruption(error, signal) || !FlowRunError.isInstance(error)) throw error;
    const runError = toRunError(error, path);
    context.finishStep({ path, kind: "task", status: "failed", input: run.input, output: null, error: runError, startedAtMs });
    throw new StepFailedError(runError, error);
  }
}
