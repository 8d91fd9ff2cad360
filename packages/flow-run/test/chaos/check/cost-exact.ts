import type { Attempt, TokenUsage } from "@flow-run/spec";
import { pick, type SimulatedRequest, sum, sumsOfRun, TOKEN_BUCKETS } from "../../support/invariants.ts";
import type { ChaosHistory } from "../history.ts";

/**
 * I6: every request was announced before it was sent, each bill is booked as it was written, and what the vendor billed but never told is counted as unknown.
 * So the ledger and the unknown bills are together exactly what the vendors say.
 */
export function* costExact(history: ChaosHistory): Generator<string> {
  const { requests, steps, runs, story } = history;
  const ledger = new Map<string, Attempt>();
  for (const its of steps.values()) for (const step of its) for (const attempt of step.attempts) ledger.set(attempt.id, attempt);
  const announced = new Map(story.attempts.map((attempt) => [attempt.id, attempt.atMs]));
  const sent = new Map<string, SimulatedRequest>();
  for (const request of requests) {
    const id = request.attempt ?? "";
    if (!ledger.has(id)) yield `cost exact: request ${request.n} (attempt ${request.attempt}) is not in the ledger`;
    else if (sent.has(id)) yield `cost exact: ${id} was sent twice`;
    else if (announced.get(id)! > Date.parse(request.at) + 1) yield `cost exact: ${id} was sent before it was announced`;
    sent.set(id, request);
  }
  for (const attempt of ledger.values()) yield* bookedAsBilled(attempt, sent.get(attempt.id));
  for (const id of announced.keys()) if (!ledger.has(id)) yield `cost exact: ${id} was announced and is gone`;
  for (const run of runs.values())
    yield* sumsOfRun(
      run,
      (steps.get(run.id) ?? []).flatMap((step) => step.attempts),
    );
  yield* sumsAgree(requests, [...ledger.values()]);
}

function* bookedAsBilled(attempt: Attempt, request: SimulatedRequest | undefined): Generator<string> {
  const { id, status, usage, costUsd } = attempt;
  if (status === "unknown" && (usage !== null || costUsd !== null)) yield `cost exact: ${id} is unknown and yet has a price`;
  if (usage !== null) {
    if (!request) yield `cost exact: ${id} was billed and the vendor never saw it`;
    else if (JSON.stringify(pick(usage)) !== JSON.stringify(pick(request.usage)))
      yield `cost exact: the usage of ${id} is not what was billed`;
    return;
  }
  if (status === "succeeded") yield `cost exact: ${id} succeeded without a bill`;
  // Free is what the vendor refused or never got; what it billed without our knowing is unknown.
  if (request?.usage && costUsd !== null) yield `cost exact: ${id} is booked as ${costUsd} although the vendor billed it`;
}

/** What the vendors billed is what is booked, and what is counted as unknown. */
function* sumsAgree(requests: readonly SimulatedRequest[], ledger: readonly Attempt[]): Generator<string> {
  const booked = sum(ledger.map((attempt) => attempt.usage));
  const unknown = new Set(ledger.filter((attempt) => attempt.usage === null).map((attempt) => attempt.id));
  const unknowable = sum(requests.filter((request) => unknown.has(request.attempt ?? "")).map((request) => request.usage));
  const billed: TokenUsage = sum(requests.map((request) => request.usage));
  for (const bucket of TOKEN_BUCKETS)
    if (booked[bucket] + unknowable[bucket] !== billed[bucket])
      yield `cost exact: ${billed[bucket]} ${bucket} billed, ${booked[bucket]} booked and ${unknowable[bucket]} unknown`;
}
