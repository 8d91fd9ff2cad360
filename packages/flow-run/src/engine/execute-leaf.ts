import type { Json } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import { isInterruption } from "./interruption.ts";
import type { LoadedLeaf, Scope } from "./loaded-release.ts";
import type { FlowPlace, RunContext } from "./run-context.ts";
import { StepFailedError, toRunError } from "./run-context.ts";
import { MOST_ITEMS } from "./run-size.ts";
import { allOrAbort } from "./settle.ts";
import { withTimeout } from "./step-timeout.ts";

/** One step with all that surrounds its action: `if`, then `forEach` or `repeat`, then for each turn the action with its rescue. */
export async function executeLeaf(
  context: RunContext,
  leaf: LoadedLeaf,
  scope: Scope,
  flow: FlowPlace,
  signal: AbortSignal,
): Promise<Json> {
  const { step } = leaf;
  const path = flow.prefix === "" ? step.id : `${flow.prefix}.${step.id}`;
  const at = (turn: string): FlowPlace => ({ ...flow, path: turn, prefix: turn, depth: flow.depth + 1 });
  if (leaf.condition && !guard(path, () => leaf.condition!(scope))) {
    if (!context.recordedStep(path)) {
      context.finishStep({
        path,
        kind: leaf.action.kind(context),
        status: "skipped",
        input: null,
        output: null,
        error: null,
        startedAtMs: context.world.clock.now(),
      });
    }
    return null;
  }
  if (step.forEach) {
    const items = guard(path, () => leaf.items!(scope));
    if (items.length > MOST_ITEMS) throw failedAt(path, tooManyItems(path, items.length));
    const { as, concurrency } = step.forEach;
    return allOrAbort(
      items.map(
        (item, index) => (branch: AbortSignal) =>
          executeTurn(context, leaf, { ...scope, [as]: item, index }, at(`${path}[${index}]`), branch),
      ),
      concurrency,
      signal,
    );
  }
  if (step.repeat) return repeat(context, leaf, scope, at(path), signal);
  return executeTurn(context, leaf, scope, at(path), signal);
}

async function repeat(context: RunContext, leaf: LoadedLeaf, scope: Scope, place: FlowPlace, signal: AbortSignal): Promise<Json> {
  const { path } = place;
  const { max, exhausted } = leaf.step.repeat!;
  let output: Json = null;
  for (let turn = 0; turn < max; turn++) {
    const own: Scope = { ...scope, steps: { ...scope.steps, [leaf.step.id]: { output } } };
    output = await executeTurn(context, leaf, own, below(place, `${path}[${turn}]`), signal);
    const after: Scope = { ...scope, steps: { ...scope.steps, [leaf.step.id]: { output } } };
    if (guard(path, () => leaf.until!(after))) return output;
  }
  if (exhausted === "last") return output;
  throw failedAt(path, new FlowRunError("repeat-exhausted", `${path} did not reach its \`until\` within ${max} turns.`));
}

/** The action once, with timeout, retries and rescue; recorded when it ends either way. */
async function executeTurn(context: RunContext, leaf: LoadedLeaf, scope: Scope, place: FlowPlace, signal: AbortSignal): Promise<Json> {
  const { path } = place;
  const pause = context.breathe();
  if (pause) await pause;
  const recorded = context.recordedStep(path);
  if (recorded?.status === "succeeded") return recorded.output;
  if (recorded?.status === "failed") return rescue(context, leaf, scope, place, new StepFailedError(recorded.error!), signal);

  const startedAtMs = context.world.clock.now();
  context.emit({ type: "step-started", path, kind: leaf.action.kind(context) });
  let input: Json = null;
  try {
    input = context.inputOf(path, () => leaf.action.input(scope));
    const output = await tryOften(context, leaf, { scope, input }, place, signal);
    context.finishStep({ path, kind: leaf.action.kind(context), status: "succeeded", input, output, error: null, startedAtMs });
    if (leaf.action.recordsAtOnce) await context.standstill.during(() => context.journal.commit());
    return output;
  } catch (error) {
    if (isInterruption(error, signal)) throw error;
    const failure = failedAt(path, error);
    context.finishStep({
      path,
      kind: leaf.action.kind(context),
      status: "failed",
      input,
      output: null,
      error: failure.runError,
      startedAtMs,
    });
    return rescue(context, leaf, scope, place, failure, signal);
  }
}

async function tryOften(
  context: RunContext,
  { step, action }: LoadedLeaf,
  turn: { scope: Scope; input: Json },
  { path, ...around }: FlowPlace,
  signal: AbortSignal,
): Promise<Json> {
  const { clock, random } = context.world;
  const { timeoutMs = action.timeoutMs, retries } = step;
  for (let attempt = 0; ; attempt++) {
    // Steps inside a called workflow are recorded also when they fail, so a new try needs a place of its own.
    const place = { ...around, path, prefix: attempt === 0 ? path : `${path}.try[${attempt}]` };
    try {
      const expired = () => timedOut(path, timeoutMs!);
      const once = () => withTimeout(clock, timeoutMs, expired, signal, (bounded) => action.perform(context, { ...turn, place }, bounded));
      return await (mayLeave(step) ? once() : context.standstill.during(once));
    } catch (error) {
      if (isInterruption(error, signal) || attempt >= retries || !mayGoBetter(error)) throw error;
      await context.standstill.during(() => clock.sleep(pauseMs(error, attempt, random()), signal));
    }
  }
}

function tooManyItems(path: string, count: number): FlowRunError {
  return new FlowRunError(
    "too-many-items",
    `${path} is to be done for ${count} elements, and ${MOST_ITEMS} is the most. Split the list, and start a run for each part.`,
  );
}

/** Another place of the same workflow. */
function below(place: FlowPlace, path: string): FlowPlace {
  return { ...place, path, prefix: path };
}

/** While nothing but waits is left in it, a step may leave the process with its run; but its timeout is a clock of this process. */
function mayLeave({ kind, timeoutMs }: LoadedLeaf["step"]): boolean {
  return (kind === "run" || kind === "wait") && timeoutMs === undefined;
}

/** Longer than that no step waits for a server that asks for patience. */
const LONGEST_PAUSE_MS = 300_000;

/** Before the next try: a random part of a growing time, or what the other side asked for. */
function pauseMs(error: unknown, attempt: number, random: number): number {
  const asked = FlowRunError.isInstance(error) ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(random * Math.min(20_000, 250 * 2 ** attempt), Math.min(asked, LONGEST_PAUSE_MS));
}

/** A model whose answer did not fit may answer better; other failures say themselves whether to try again. */
function mayGoBetter(error: unknown): boolean {
  return FlowRunError.isInstance(error) && (error.retryable || error.code === "output-invalid");
}

function timedOut(path: string, timeoutMs: number): FlowRunError {
  return new FlowRunError("step-timeout", `${path} took longer than its timeout of ${timeoutMs} ms.`, { retryable: true });
}

async function rescue(
  context: RunContext,
  leaf: LoadedLeaf,
  scope: Scope,
  place: FlowPlace,
  failure: StepFailedError,
  signal: AbortSignal,
): Promise<Json> {
  const { onError } = leaf.step;
  if (onError === "fail") throw failure;
  if (onError === "continue") return null;
  const rescuePath = `${place.path}.onError`;
  const recorded = context.recordedStep(rescuePath);
  if (recorded?.status === "succeeded") return recorded.output;
  if (recorded) throw new StepFailedError(recorded.error!);
  const startedAtMs = context.world.clock.now();
  const { flow, argument } = leaf.rescue!;
  let input: Json = null;
  try {
    input = context.inputOf(rescuePath, () => argument(scope) ?? null);
    const output = await context.call(flow, input, below(place, rescuePath), signal);
    context.finishStep({ path: rescuePath, kind: "rescue", status: "succeeded", input, output, error: null, startedAtMs });
    return output;
  } catch (error) {
    if (isInterruption(error, signal)) throw error;
    const second = failedAt(rescuePath, error);
    context.finishStep({ path: rescuePath, kind: "rescue", status: "failed", input, output: null, error: second.runError, startedAtMs });
    throw second;
  }
}

/** An expression that fails outside a turn still names its step. */
function guard<T>(path: string, evaluate: () => T): T {
  try {
    return evaluate();
  } catch (error) {
    throw failedAt(path, error);
  }
}

/** The failure, naming the innermost step. A defect stays what it is. */
function failedAt(path: string, error: unknown): StepFailedError {
  if (error instanceof StepFailedError) return error;
  if (FlowRunError.isInstance(error)) return new StepFailedError(toRunError(error, path), error);
  throw error;
}
