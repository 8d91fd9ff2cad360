import { randomUUID } from "node:crypto";
import type { TokenUsage } from "@flow-run/spec";
import type { Database } from "../../src/store/database/index.ts";
import type { AttemptEnd, AttemptStart, ClaimedRun, NewRun, StepRecord, Store } from "../../src/store/index.ts";

export function newRun(over: Partial<NewRun> = {}): NewRun {
  return {
    id: `run_${randomUUID()}`,
    environment: "dev",
    flow: "triage",
    kind: "task",
    release: 1,
    input: { ticket: "It is broken." },
    tags: [],
    priority: 0,
    idempotencyKey: null,
    fingerprint: "f".repeat(64),
    ...over,
  };
}

export function step(path: string, over: Partial<StepRecord> = {}): StepRecord {
  return {
    path,
    seq: 1,
    kind: "run",
    status: "succeeded",
    input: { a: 1 },
    output: { done: path },
    error: null,
    startedAtMs: 1_790_000_000_123,
    finishedAtMs: 1_790_000_000_456,
    ...over,
  };
}

export function attemptStart(id: string, over: Partial<AttemptStart> = {}): AttemptStart {
  return { id, stepPath: "draft", number: 1, provider: "sim", model: "simulator", startedAtMs: 1_790_000_000_200, ...over };
}

export const USAGE: TokenUsage = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 3, cacheWriteTokens: 2, reasoningTokens: 1 };

export function attemptEnd(id: string, over: Partial<AttemptEnd> = {}): AttemptEnd {
  return {
    id,
    status: "succeeded",
    usage: USAGE,
    rawUsage: { prompt_tokens: 105 },
    costNanoUsd: 1_500,
    priceVersion: "2026-11-01",
    error: null,
    finishReason: "stop",
    responseModel: "simulator-1",
    timeToFirstTokenMs: 12.5,
    finishedAtMs: 1_790_000_000_400,
    ...over,
  };
}

/** Submits one run to an empty queue and takes it. */
export async function submitAndClaim(store: Store, over: Partial<NewRun> = {}): Promise<ClaimedRun> {
  const run = newRun(over);
  await store.submitRun(run);
  return claimOnly(store, run.id);
}

/** Takes a run that must be the only one in the queue. */
export async function claimOnly(store: Store, id: string): Promise<ClaimedRun> {
  const claimed = await store.claimRuns(10);
  const [only] = claimed;
  if (claimed.length !== 1 || only?.id !== id)
    throw new Error(`Expected ${id} alone, claimed: ${claimed.map((run) => run.id).join(", ") || "none"}`);
  return only;
}

/** What the queue's supervisor does to a job whose worker has been silent for too long, at once. */
export async function expireLease(database: Database, runId: string): Promise<void> {
  await database.query(
    "UPDATE pgboss.job SET state = 'retry' WHERE id = (SELECT job_id FROM flow_run.run WHERE id = $1) AND state = 'active' RETURNING id",
    [runId],
  );
}

export async function endRun(store: Store, run: ClaimedRun): Promise<void> {
  const journal = store.journal(run);
  journal.appendEnd({ status: "succeeded", output: { ok: true }, error: null });
  await journal.commit();
}
