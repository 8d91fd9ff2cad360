import { setTimeout as pause } from "node:timers/promises";
import type { AcceptedRun, Run } from "@flow-run/spec";
import type { SeededRandom } from "../../src/model/simulator/seeded-random.ts";
import type { AckLog } from "./ack-log.ts";
import type { House } from "./house.ts";
import type { Order } from "./orders.ts";

/** Answers after which the same request may be sent again. */
const TRY_AGAIN = new Set([429, 500, 502, 503, 504, 507]);
const ANSWER_WITHIN_MS = 15_000;

/** How to talk to a house whose servers come and go: whichever door is open, again and again, as a careful client does. */
export class Client {
  /** Refusals that a healthy server should not give, by status: 5xx other than "try again". */
  readonly statuses = new Map<number, number>();
  private readonly house: House;
  private readonly log: AckLog;
  private readonly random: SeededRandom;
  private readonly webhookUrl: string;
  private deadlineMs = Number.POSITIVE_INFINITY;

  constructor({ house, log, random }: { house: House; log: AckLog; random: SeededRandom }) {
    this.house = house;
    this.log = log;
    this.random = random;
    this.webhookUrl = `${house.sink.url}/hook`;
  }

  /** Nothing is tried again after this moment. */
  giveUpAt(ms: number): void {
    this.deadlineMs = ms;
  }

  /** One request at any open door. Rejects when no answer comes. */
  async send(method: string, route: string, options: { body?: unknown; key?: string; timeoutMs?: number } = {}): Promise<Response> {
    const open = this.house.doors.filter((slot) => slot.url !== null);
    if (open.length === 0) throw new Error("no door is open");
    const { url } = this.random.pick(open);
    const { body, key, timeoutMs = ANSWER_WITHIN_MS } = options;
    return fetch(`${url}${route}`, {
      method,
      headers: {
        authorization: `Bearer ${this.house.adminKey}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === undefined ? {} : { "idempotency-key": key }),
      },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Reads until there is an answer. */
  async read<T>(route: string): Promise<T> {
    for (;;) {
      const response = await this.send("GET", route).catch(() => null);
      if (response?.ok) return (await response.json()) as T;
      if (response !== null && !TRY_AGAIN.has(response.status)) throw new Error(`GET ${route} was answered with ${response.status}`);
      if (Date.now() > this.deadlineMs) throw new Error(`GET ${route} was not answered in time`);
      await pause(100);
    }
  }

  /** Starts a run, with the same key until it is accepted. */
  submit(order: Order): Promise<string> {
    const { key, flow, input, webhook } = order;
    const body = { input, tags: [key], ...(webhook ? { webhook: this.webhookUrl } : {}) };
    return this.insist(order, key, `/v1/flows/${flow}/runs`, body);
  }

  /** A new run with the same input, tags and webhook; the client knows it under a key of its own. */
  replay(order: Order, run: string): Promise<string> {
    return this.insist({ ...order, cancelAfterMs: null }, `${order.key}-replayed`, `/v1/runs/${run}/replay`, { release: "current" });
  }

  /** The key of an accepted run for another request: 422, or no answer at all. */
  async misuse(order: Order): Promise<void> {
    const response = await this.send("POST", `/v1/flows/${order.flow}/runs`, {
      body: { input: { ...order.input, text: "another" }, tags: [order.key] },
      key: order.key,
    }).catch(() => null);
    if (response !== null && response.status !== 422 && !TRY_AGAIN.has(response.status))
      this.log.complaints.push(`accept once: another request with the key ${order.key} was answered with ${response.status}, not 422`);
  }

  /** Until it is known that the run is cancelled or had ended. */
  async cancel(run: string): Promise<void> {
    while (Date.now() < this.deadlineMs) {
      const response = await this.send("POST", `/v1/runs/${run}/cancel`).catch(() => null);
      if (response !== null && [200, 409].includes(response.status)) return;
      await pause(200);
    }
  }

  /** Until the signal is taken, or the run has ended without it. */
  async signal(run: string, name: string, payload: unknown): Promise<void> {
    for (let left = 0; Date.now() < this.deadlineMs; left++) {
      const response = await this.send("POST", `/v1/runs/${run}/signals/${name}`, { body: payload }).catch(() => null);
      if (response?.ok) return;
      // Not waited for: not yet, or no more.
      if (response?.status === 409 && left % 4 === 3 && (await this.read<Run>(`/v1/runs/${run}`)).finishedAt !== null) return;
      await pause(400);
    }
  }

  async ended(run: string): Promise<Run | null> {
    while (Date.now() < this.deadlineMs) {
      const response = await this.send("GET", `/v1/runs/${run}?wait=20`, { timeoutMs: 30_000 }).catch(() => null);
      if (response?.ok) {
        const found = (await response.json()) as Run;
        if (found.finishedAt !== null) return found;
      } else await pause(200);
    }
    return null;
  }

  private async insist(order: Order, key: string, route: string, body: unknown): Promise<string> {
    const invokedMs = Date.now();
    while (Date.now() < this.deadlineMs) {
      this.log.write(key, "invoke");
      let status: number;
      try {
        const response = await this.send("POST", route, { body, key });
        ({ status } = response);
        if (status === 202) {
          const { id, release } = (await response.json()) as AcceptedRun;
          this.log.write(key, "ok", { status, run: id });
          this.log.accept({ order, key, run: id, release, invokedMs, acceptedMs: Date.now() });
          return id;
        }
        const said = await response.text();
        this.log.write(key, "fail", { status });
        if (!TRY_AGAIN.has(status)) throw new Refused(`accept once: ${key} was refused with ${status}: ${said}`);
      } catch (error) {
        if (error instanceof Refused) {
          this.log.complaints.push(error.message);
          throw error;
        }
        status = 0;
        this.log.write(key, "unknown");
      }
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      await pause(this.random.integer(50, 250));
    }
    throw new Error(`end always: ${key} was not accepted in time`);
  }
}

class Refused extends Error {}
