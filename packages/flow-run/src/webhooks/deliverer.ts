import { FlowRunError } from "@flow-run/spec";
import type { Outbound } from "../outbound/index.ts";
import type { ClaimedDelivery, DeliveryOutcome, WebhookStore } from "../store/index.ts";
import { type Attempted, judgeAttempt } from "./judge-attempt.ts";
import { ATTEMPTS } from "./schedule.ts";
import { signatureOf } from "./sign.ts";
import { writeMessage } from "./write-message.ts";

export interface DelivererClock {
  /** Epoch milliseconds. */
  now(): number;
  /** Rejects when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface DelivererParts {
  store: Pick<WebhookStore, "claim" | "settle" | "onDue">;
  outbound: Outbound;
  secretsOf(environment: string): Promise<readonly string[]>;
  clock: DelivererClock;
  random(): number;
  publicUrl: string;
  /** Of every attempt. */
  onOutcome(outcome: "delivered" | "failed" | "exhausted" | "disabled"): void;
  onTrouble(error: unknown, doing: string): void;
  /** Attempts under way at once; of one endpoint. Defaults 512 and 16. */
  concurrency?: number;
  perEndpoint?: number;
  /** How often is looked for what became due by time. Default 5,000. */
  pollMs?: number;
  /** Of an attempt, from the first byte out to the last one in. Default 20,000; must stay below the lease of a delivery. */
  timeoutMs?: number;
}

const KEPT_ANSWER_BYTES = 4_096;

/** Sends what is due, one loop a process. Woken by ends of runs, by attempts that are over and by the clock. */
export class Deliverer {
  private readonly parts: Required<DelivererParts>;
  private readonly underWay = new Map<string, number>();
  private readonly attempts = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private readonly breakingOff = new AbortController();
  private looping: Promise<void> = Promise.resolve();
  private stopListening: () => void = () => {};
  private woken = false;
  private wakeUp: () => void = () => {};
  private soonestRetryMs = Number.POSITIVE_INFINITY;

  constructor(parts: DelivererParts) {
    this.parts = { concurrency: 512, perEndpoint: 16, pollMs: 5_000, timeoutMs: 20_000, ...parts };
  }

  start(): void {
    this.stopListening = this.parts.store.onDue(() => this.wake());
    this.looping = this.loop();
  }

  /** Begins nothing more, lets attempts finish for a while, then breaks them off: they are made again elsewhere, uncounted. */
  async drain(graceMs: number): Promise<void> {
    this.stopListening();
    this.stopping.abort();
    await this.looping;
    const timer = setTimeout(() => this.breakingOff.abort(), graceMs);
    await Promise.allSettled(this.attempts);
    clearTimeout(timer);
  }

  private wake(): void {
    this.woken = true;
    this.wakeUp();
  }

  private async loop(): Promise<void> {
    const { store, concurrency, perEndpoint, onTrouble } = this.parts;
    while (!this.stopping.signal.aborted) {
      const limit = concurrency - this.attempts.size;
      this.woken = false;
      let claimed: ClaimedDelivery[] = [];
      if (limit > 0) {
        try {
          claimed = await store.claim({ limit, perEndpoint, underWay: this.underWay });
        } catch (error) {
          onTrouble(error, "looking for webhooks to deliver");
        }
      }
      for (const delivery of claimed) this.begin(delivery);
      if (claimed.length === 0) await this.rest();
    }
  }

  private async rest(): Promise<void> {
    if (this.woken || this.stopping.signal.aborted) return;
    const { clock, pollMs } = this.parts;
    const wake = Promise.withResolvers<void>();
    this.wakeUp = wake.resolve;
    const alarm = new AbortController();
    const signal = AbortSignal.any([alarm.signal, this.stopping.signal]);
    const sleepMs = Math.max(10, Math.min(pollMs, this.soonestRetryMs - clock.now()));
    await Promise.race([clock.sleep(sleepMs, signal).catch(() => {}), wake.promise]);
    alarm.abort();
    if (clock.now() >= this.soonestRetryMs) this.soonestRetryMs = Number.POSITIVE_INFINITY;
  }

  private begin(delivery: ClaimedDelivery): void {
    const { endpoint } = delivery;
    this.underWay.set(endpoint, (this.underWay.get(endpoint) ?? 0) + 1);
    const attempt = this.deliver(delivery)
      .catch((error) => this.parts.onTrouble(error, "delivering a webhook"))
      .finally(() => {
        const left = this.underWay.get(endpoint)! - 1;
        if (left === 0) this.underWay.delete(endpoint);
        else this.underWay.set(endpoint, left);
        this.attempts.delete(attempt);
        this.wake();
      });
    this.attempts.add(attempt);
  }

  private async deliver(delivery: ClaimedDelivery): Promise<void> {
    const { store, onOutcome, clock } = this.parts;
    const settled = await this.attempt(delivery);
    await store.settle({ id: delivery.id, attempt: delivery.attempt, ...settled });
    const { next } = settled;
    if (next.status === "retry") this.soonestRetryMs = Math.min(this.soonestRetryMs, clock.now() + next.afterMs);
    onOutcome(next.status === "retry" ? "failed" : next.status);
  }

  private async attempt(delivery: ClaimedDelivery): Promise<Pick<DeliveryOutcome, "made" | "next">> {
    if (delivery.disabled) return { made: null, next: { status: "disabled", gone: false } };
    // The process died during the last one.
    if (delivery.seriesAttempt > ATTEMPTS) return { made: null, next: { status: "exhausted" } };
    const { clock, random } = this.parts;
    const startedMs = clock.now();
    let answer: { status: number; body: Uint8Array } | null = null;
    let attempted: Attempted;
    try {
      const sent = await this.send(delivery);
      answer = sent;
      attempted = { status: sent.status, retryAfter: sent.headers["retry-after"] };
    } catch (error) {
      attempted = { error: reasonOf(error) };
    }
    const nowMs = clock.now();
    const { next, error } = judgeAttempt(attempted, delivery.seriesAttempt, { random, nowMs });
    const brokenOff = answer === null && this.breakingOff.signal.aborted;
    return {
      made: {
        durationMs: Math.max(0, Math.round(nowMs - startedMs)),
        status: answer?.status ?? null,
        error: brokenOff ? "The server was shut down." : error,
        answer: answer === null ? null : textOf(answer.body),
      },
      next: brokenOff ? { status: "retry", afterMs: 0, uncounted: true } : next,
    };
  }

  private async send({ id, url, includeOutput, run }: ClaimedDelivery) {
    const { outbound, secretsOf, clock, publicUrl, timeoutMs } = this.parts;
    const secrets = await secretsOf(run.environment);
    const body = writeMessage(run, { includeOutput, publicUrl });
    const timestamp = Math.floor(clock.now() / 1_000);
    return outbound.request({
      method: "POST",
      url,
      headers: {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": signatureOf(id, timestamp, body, secrets),
      },
      body,
      timeoutMs,
      signal: this.breakingOff.signal,
      cutBodyAt: KEPT_ANSWER_BYTES,
    });
  }
}

/** Own words only: those of libraries may tell more than whoever reads the delivery may know. */
function reasonOf(error: unknown): string {
  return FlowRunError.isInstance(error) ? error.message : "The attempt failed inside the server; its log says more.";
}

/** As text that a database can store. */
function textOf(body: Uint8Array): string {
  return Buffer.from(body).toString("utf8").replaceAll("\u0000", "\ufffd");
}
