import type { Json } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import type { CompiledWaitStep } from "../../compile/index.ts";
import type { DurableWaits, WaitState, WaitToStand } from "../../store/index.ts";
import { stopsExecution } from "../interruption.ts";
import type { RunContext } from "../run-context.ts";
import type { StepAction } from "../step-action.ts";

/** Shorter waits are not worth leaving the process: they are slept through, and begin again when the process ends meanwhile. */
const SHORT_MS = 5_000;

/** How long a signal without a timeout is waited for, so that no run waits for ever. */
const LONGEST_MS = 30 * 24 * 3_600_000;

/** Waits for some time, or for a signal whose payload is its output. */
export function waitStep(step: CompiledWaitStep): StepAction {
  const { signal: awaited, forMs = 0 } = step;
  const timeoutMs = awaited?.timeoutMs ?? LONGEST_MS;
  return {
    kind: () => "wait",
    input: (): Json => (awaited ? { signal: awaited.name, timeoutMs } : { forMs }),
    async perform(context, { place }, signal): Promise<Json> {
      const { path } = place;
      const { waits } = context.journal;
      if (!awaited) {
        if (waits && forMs >= SHORT_MS) await stand(context, waits, { path, signal: null, dueInMs: forMs, payloadSchema: null }, signal);
        else await context.standstill.during(() => context.world.clock.sleep(forMs, signal));
        return null;
      }
      if (!waits) throw nobodySignals(path, awaited.name);
      const wait = { path, signal: awaited.name, dueInMs: timeoutMs, payloadSchema: awaited.payload ?? null };
      const { delivered, payload } = await stand(context, waits, wait, signal);
      if (!delivered) throw timedOut(path, awaited.name, timeoutMs);
      return payload;
    },
  };
}

/** Until the wait is delivered or due. The database says which of the two, and by its clock. */
async function stand(context: RunContext, waits: DurableWaits, wait: WaitToStand, signal: AbortSignal): Promise<WaitState> {
  const { standstill } = context;
  try {
    for (;;) {
      const state = await standstill.during(() => waits.open(wait));
      if (state.delivered || state.remainingMs <= 0) return state;
      await standstill.block(wait.path, state.remainingMs, signal);
    }
  } catch (error) {
    // A step beside this one failed: a signal that came now would be taken and have no effect.
    if (signal.aborted && !stopsExecution(signal.reason)) await standstill.during(() => waits.close(wait.path)).catch(() => {});
    throw error;
  }
}

function timedOut(path: string, name: string, timeoutMs: number): FlowRunError {
  return new FlowRunError("wait-timeout", `${path} waited ${timeoutMs} ms for the signal "${name}", and it did not come.`);
}

function nobodySignals(path: string, name: string): FlowRunError {
  return new FlowRunError(
    "signal-needs-server",
    `${path} waits for the signal "${name}", and nothing can send one to a run on the command line. Start \`flow-run dev\`, run the flow there with --env dev, then: flow-run runs signal RUN ${name}`,
  );
}
