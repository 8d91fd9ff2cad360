import type { Attempt, Run, Step, TokenUsage } from "@flow-run/spec";

/** A request as the simulator logged it. */
export interface SimulatedRequest {
  n: number;
  at: string;
  protocol: string;
  model: string;
  attempt: string | null;
  status: number;
  usage: TokenUsage | null;
  answeredInFull: boolean;
  bodySha256: string;
  lastUserText: string;
}

/** What clients, the API and the LLM have seen, each from its own side. */
export interface History {
  /** Ids of the runs that were promised, by idempotency key. */
  accepted: ReadonlyMap<string, string>;
  /** All runs of the environment. */
  runs: readonly Run[];
  steps: ReadonlyMap<string, readonly Step[]>;
  requests: readonly SimulatedRequest[];
}

export interface Expectations {
  /** Paths of the steps of every run, in order. */
  steps: readonly string[];
  /**
   * A process was frozen between the commit of an attempt and its request. When it wakes the request leaves, although another owner may have finished
   * the step meanwhile; no fence reaches a vendor. Attempts are still never begun after their step was recorded.
   */
  frozen?: boolean;
}

/** Every violation of the guarantees, in words; empty when they all hold. All runs must have been waited for. */
export function violations(history: History, expectations: Expectations): string[] {
  return [...acceptedOnce(history), ...endedAlways(history, expectations), ...neverRepeated(history, expectations), ...costExact(history)];
}

function* acceptedOnce({ accepted, runs }: History): Generator<string> {
  const known = new Map(runs.map((run) => [run.id, run]));
  if (known.size !== runs.length) yield "accept once: a run is listed twice";
  const promised = new Set<string>();
  for (const [key, id] of accepted) {
    if (!known.has(id)) yield `accept once: ${id} was promised for the key ${key} and is gone`;
    if (promised.has(id)) yield `accept once: ${id} answers for two keys`;
    promised.add(id);
  }
  for (const run of runs) if (!promised.has(run.id)) yield `accept once: ${run.id} exists although every key has another run`;
}

function* endedAlways({ runs, steps }: History, expectations: Expectations): Generator<string> {
  for (const run of runs) {
    if (run.status !== "succeeded" || run.finishedAt === null) {
      yield `end always: ${run.id} is ${run.status} (${run.error?.code}: ${run.error?.message})`;
      continue;
    }
    const recorded = (steps.get(run.id) ?? []).filter((step) => step.finishedAt !== null);
    const paths = recorded.toSorted((a, b) => a.seq! - b.seq!).map((step) => step.path);
    if (paths.join() !== expectations.steps.join()) yield `never repeat: ${run.id} recorded the steps ${paths.join(", ")}`;
    if (recorded.some((step, index) => step.seq !== index + 1)) yield `one story: the steps of ${run.id} are numbered with gaps`;
    const last = recorded.at(-1);
    if (last && JSON.stringify(run.output) !== JSON.stringify({ text: last.output }))
      yield `one story: the output of ${run.id} is not what its last step recorded`;
    for (const [index, step] of recorded.entries()) {
      const before = recorded[index - 1];
      if (before && (step.input as { text?: unknown }).text !== before.output)
        yield `one story: ${run.id} gave ${step.path} another text than ${before.path} recorded`;
    }
  }
}

function* neverRepeated({ runs, steps, requests }: History, { frozen = false }: Expectations): Generator<string> {
  const byBody = Map.groupBy(requests, (request) => request.bodySha256);
  const byAttempt = new Map(requests.map((request) => [request.attempt, request]));
  for (const run of runs) {
    const paths = new Set<string>();
    for (const step of steps.get(run.id) ?? []) {
      if (paths.has(step.path)) yield `never repeat: ${run.id} has two records of ${step.path}`;
      paths.add(step.path);
      if (step.finishedAt === null) continue;
      const finished = Date.parse(step.finishedAt);
      for (const attempt of step.attempts) {
        if (Date.parse(attempt.startedAt) > finished) yield `never repeat: ${run.id} began ${attempt.id} after ${step.path} was finished`;
      }
      if (frozen) continue;
      const bodies = new Set(step.attempts.map((attempt) => byAttempt.get(attempt.id)?.bodySha256).filter((body) => body !== undefined));
      for (const body of bodies) {
        const late = byBody.get(body)!.filter((request) => Date.parse(request.at) > finished);
        for (const request of late)
          yield `never repeat: request ${request.n} asked for ${step.path} of ${run.id} again, after it was finished at ${step.finishedAt}`;
      }
    }
  }
}

/** The five disjoint buckets of tokens. */
export const TOKEN_BUCKETS = ["inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "reasoningTokens"] as const;

function* costExact({ runs, steps, requests }: History): Generator<string> {
  const ledger = new Map<string, Attempt>();
  for (const its of steps.values()) for (const step of its) for (const attempt of step.attempts) ledger.set(attempt.id, attempt);
  const seen = new Map<string, SimulatedRequest>();
  for (const request of requests) {
    const { attempt } = request;
    if (attempt === null || !ledger.has(attempt)) yield `cost exact: request ${request.n} (attempt ${attempt}) is not in the ledger`;
    else if (seen.has(attempt)) yield `cost exact: attempt ${attempt} was sent twice`;
    else seen.set(attempt, request);
  }
  for (const attempt of ledger.values()) {
    const request = seen.get(attempt.id);
    if (attempt.cached) {
      if (request) yield `cost exact: ${attempt.id} came from the cache and was sent all the same`;
    } else if (attempt.status === "succeeded") {
      if (!request) yield `cost exact: ${attempt.id} succeeded and the LLM never saw it`;
      else if (JSON.stringify(pick(attempt.usage)) !== JSON.stringify(pick(request.usage)))
        yield `cost exact: the usage of ${attempt.id} is not what was billed`;
    }
    if (attempt.status === "unknown" && (attempt.usage !== null || attempt.costUsd !== null))
      yield `cost exact: ${attempt.id} is unknown and yet has a price`;
  }
  const billed = sum(requests.map((request) => request.usage));
  const booked = sum([...ledger.values()].map((attempt) => attempt.usage));
  for (const bucket of TOKEN_BUCKETS)
    if (booked[bucket] > billed[bucket]) yield `cost exact: ${booked[bucket]} ${bucket} booked, ${billed[bucket]} billed`;
  for (const run of runs)
    yield* sumsOfRun(
      run,
      (steps.get(run.id) ?? []).flatMap((step) => step.attempts),
    );
}

/** A run's own sums against its attempts. */
export function* sumsOfRun(run: Run, attempts: readonly Attempt[]): Generator<string> {
  const pending = attempts.filter((attempt) => attempt.status === "started");
  if (pending.length > 0) yield `cost exact: ${run.id} has ended and ${pending.map((attempt) => attempt.id)} is still under way`;
  const sent = attempts.filter((attempt) => !attempt.cached).length;
  if (run.usage.calls !== sent) yield `cost exact: ${run.id} counts ${run.usage.calls} calls and has ${sent} attempts`;
  if (run.usage.cacheHits !== attempts.length - sent)
    yield `cost exact: ${run.id} counts ${run.usage.cacheHits} cache hits and has ${attempts.length - sent}`;
  const usage = sum(attempts.map((attempt) => attempt.usage));
  for (const bucket of TOKEN_BUCKETS)
    if (run.usage[bucket] !== usage[bucket])
      yield `cost exact: ${run.id} says ${run.usage[bucket]} ${bucket}, its attempts ${usage[bucket]}`;
  const unpriced = attempts.filter((attempt) => attempt.costUsd === null).length;
  if (run.unpricedCalls !== unpriced) yield `cost exact: ${run.id} counts ${run.unpricedCalls} unpriced calls and has ${unpriced}`;
  if ((run.costUsd === null) !== unpriced > 0) yield `cost exact: ${run.id} costs ${run.costUsd} with ${unpriced} unpriced calls`;
  const cost = attempts.reduce((total, attempt) => total + Math.round((attempt.costUsd ?? 0) * 1e9), 0);
  if (run.costUsd !== null && Math.round(run.costUsd * 1e9) !== cost)
    yield `cost exact: ${run.id} costs ${run.costUsd}, its attempts ${cost / 1e9}`;
}

/** The buckets in their order. */
export function pick(usage: TokenUsage | null): number[] | null {
  return usage && TOKEN_BUCKETS.map((bucket) => usage[bucket]);
}

export function sum(usages: readonly (TokenUsage | null)[]): TokenUsage {
  const total: TokenUsage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
  for (const usage of usages) if (usage) for (const bucket of TOKEN_BUCKETS) total[bucket] += usage[bucket];
  return total;
}
