import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "./client.ts";

/** One small run on a vendor that is well, from its first request until its end was seen. */
export interface Chirp {
  run: string | null;
  startedMs: number;
  /** null: no end was seen in time. */
  tookMs: number | null;
}

/** Starts a run each second, whatever happens to the others. */
export class Canary {
  readonly chirps: Chirp[] = [];
  private readonly client: Client;
  private readonly stopping = new AbortController();
  private readonly singing: Promise<void>[] = [];
  private loop: Promise<void> = Promise.resolve();

  constructor(client: Client) {
    this.client = client;
  }

  start(): void {
    this.loop = this.sing();
  }

  /** Resolves when the last one has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop;
    await Promise.allSettled(this.singing);
  }

  private async sing(): Promise<void> {
    for (let number = 1; !this.stopping.signal.aborted; number++) {
      this.singing.push(this.chirp(number));
      await pause(1_000, undefined, { signal: this.stopping.signal }).catch(() => {});
    }
  }

  private async chirp(number: number): Promise<void> {
    const chirp: Chirp = { run: null, startedMs: Date.now(), tookMs: null };
    this.chirps.push(chirp);
    const key = `canary-${number}`;
    const order = { key, flow: "canary" as never, input: { text: key }, webhook: false };
    chirp.run = await this.client.submit({
      ...order,
      cancelAfterMs: null,
      replayed: false,
      repeated: false,
      misused: false,
      followed: false,
    });
    if ((await this.client.ended(chirp.run)) !== null) chirp.tookMs = Date.now() - chirp.startedMs;
  }
}
