import { type Bucket, USABLE_MS } from "./window.ts";

/** Permits that were given out together. */
interface Batch {
  slot: number;
  /** By this process's clock. */
  untilMs: number;
  requests: number;
  tokens: number;
}

/** What a process has been given and not used yet. What nobody uses in time comes back as a correction. */
export class HeldPermits {
  readonly corrections: { requests: Bucket[]; tokens: Bucket[] } = { requests: [], tokens: [] };
  private batches: Batch[] = [];

  /** `askedAtMs`: before they were given out, so that no permit is used later than the shared window allows for. */
  receive(slot: number, requests: number, tokens: number, askedAtMs: number): void {
    if (requests > 0 || tokens > 0) this.batches.push({ slot, untilMs: askedAtMs + USABLE_MS, requests, tokens });
  }

  /** What could be used now. */
  available(nowMs: number): { requests: number; tokens: number } {
    const sum = { requests: 0, tokens: 0 };
    let expired = false;
    for (const batch of this.batches) {
      if (batch.untilMs <= nowMs) {
        expired = true;
        this.correct(batch.slot, -batch.requests, -batch.tokens);
        continue;
      }
      sum.requests += batch.requests;
      sum.tokens += batch.tokens;
    }
    if (expired) this.batches = this.batches.filter(({ untilMs }) => untilMs > nowMs);
    return sum;
  }

  /** Takes what is available, oldest first. Returns the slot that later corrections of it belong to. */
  take(requests: number, tokens: number): number {
    const left = { requests, tokens };
    let slot = 0;
    for (const batch of this.batches) {
      const part = { requests: Math.min(batch.requests, left.requests), tokens: Math.min(batch.tokens, left.tokens) };
      batch.requests -= part.requests;
      batch.tokens -= part.tokens;
      left.requests -= part.requests;
      left.tokens -= part.tokens;
      if (part.requests > 0 || part.tokens > 0) slot = batch.slot;
    }
    this.batches = this.batches.filter((batch) => batch.requests > 0 || batch.tokens > 0);
    return slot;
  }

  /** What was charged to a slot turns out to be more or less. */
  correct(slot: number, requests: number, tokens: number): void {
    note(this.corrections.requests, slot, requests);
    note(this.corrections.tokens, slot, tokens);
  }

  /** The corrections so far; from now on they are the taker's. */
  takeCorrections(): { requests: Bucket[]; tokens: Bucket[] } {
    return { requests: this.corrections.requests.splice(0), tokens: this.corrections.tokens.splice(0) };
  }

  get isEmpty(): boolean {
    return this.batches.length === 0 && this.corrections.requests.length === 0 && this.corrections.tokens.length === 0;
  }
}

function note(buckets: Bucket[], slot: number, amount: number): void {
  if (amount === 0) return;
  const bucket = buckets.find((other) => other[0] === slot);
  if (bucket === undefined) buckets.push([slot, amount]);
  else bucket[1] += amount;
}
