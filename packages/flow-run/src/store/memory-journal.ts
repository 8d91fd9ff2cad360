import type { Attempt, FlowKind, Json, Run, Step } from "@flow-run/spec";
import type { AttemptEnd, AttemptStart, Journal, RunEnd, StepRecord } from "./journal.ts";
import { measureValue } from "./record-size.ts";

const NANO = 1e9;

/** A journal that lasts as long as the process: for runs on a laptop and in tests, no database needed. */
export class MemoryJournal implements Journal {
  readonly steps: StepRecord[] = [];
  readonly attempts = new Map<string, { start: AttemptStart; end: AttemptEnd | null }>();
  end: RunEnd | null = null;

  appendStep(step: StepRecord): number {
    const size = measureValue(`input of ${step.path}`, step.input) + measureValue(`output of ${step.path}`, step.output);
    this.steps.push(step);
    return size;
  }

  appendAttemptStart(start: AttemptStart): void {
    this.attempts.set(start.id, { start, end: start.cached ? endOfCached(start) : null });
  }

  appendAttemptEnd(end: AttemptEnd): void {
    const attempt = this.attempts.get(end.id);
    if (attempt) attempt.end = end;
  }

  appendEnd(end: RunEnd): void {
    measureValue("output of the run", end.output);
    this.end = end;
  }

  async commit(): Promise<void> {}

  /** The run and its steps in the shapes of the HTTP API. Only after the end. */
  toWire(run: { id: string; flow: string; kind: FlowKind; environment: string; input: Json; createdAtMs: number; finishedAtMs: number }): {
    run: Run;
    steps: Step[];
  } {
    const end = this.end!;
    const usage = {
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      calls: 0,
      cacheHits: 0,
    };
    let nanoUsd = 0;
    let unpricedCalls = 0;
    for (const { start, end: booked } of this.attempts.values()) {
      usage[start.cached ? "cacheHits" : "calls"]++;
      if (booked?.costNanoUsd == null) unpricedCalls++;
      else nanoUsd += booked.costNanoUsd;
      if (!booked?.usage) continue;
      usage.inputTokens += booked.usage.inputTokens;
      usage.outputTokens += booked.usage.outputTokens;
      usage.cacheReadTokens += booked.usage.cacheReadTokens;
      usage.cacheWriteTokens += booked.usage.cacheWriteTokens;
      usage.reasoningTokens += booked.usage.reasoningTokens;
    }
    const iso = (ms: number) => new Date(ms).toISOString();
    return {
      run: {
        id: run.id,
        flow: run.flow,
        kind: run.kind,
        environment: run.environment,
        release: 0,
        status: end.status,
        input: run.input,
        output: end.output,
        error: end.error,
        usage,
        costUsd: unpricedCalls > 0 ? null : nanoUsd / NANO,
        unpricedCalls,
        tags: [],
        replayOf: null,
        feedbackCount: 0,
        createdAt: iso(run.createdAtMs),
        startedAt: iso(run.createdAtMs),
        finishedAt: iso(run.finishedAtMs),
      },
      steps: this.steps.map((step) => ({
        path: step.path,
        seq: step.seq,
        kind: step.kind,
        status: step.status,
        input: step.input,
        output: step.output,
        error: step.error,
        startedAt: iso(step.startedAtMs),
        finishedAt: iso(step.finishedAtMs),
        copied: false,
        waitsFor: null,
        attempts: this.attemptsOf(step.path),
      })),
    };
  }

  private attemptsOf(path: string): Attempt[] {
    return [...this.attempts.values()]
      .filter(({ start }) => start.stepPath === path)
      .map(({ start, end }) => ({
        id: start.id,
        number: start.number,
        status: end?.status ?? "started",
        cached: start.cached ?? false,
        provider: start.provider,
        model: start.model,
        usage: end?.usage ?? null,
        rawUsage: end?.rawUsage ?? null,
        priceVersion: end?.priceVersion ?? null,
        costUsd: end?.costNanoUsd == null ? null : end.costNanoUsd / NANO,
        error: end?.error ?? null,
        finishReason: end?.finishReason ?? null,
        timeToFirstTokenMs: end?.timeToFirstTokenMs ?? null,
        startedAt: new Date(start.startedAtMs).toISOString(),
        finishedAt: end ? new Date(end.finishedAtMs).toISOString() : null,
      }));
  }
}

/** It has ended with its beginning. */
function endOfCached({ id, startedAtMs }: AttemptStart): AttemptEnd {
  return {
    id,
    status: "succeeded",
    usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
    rawUsage: null,
    costNanoUsd: 0,
    priceVersion: null,
    error: null,
    finishReason: null,
    responseModel: null,
    timeToFirstTokenMs: null,
    finishedAtMs: startedAtMs,
  };
}
