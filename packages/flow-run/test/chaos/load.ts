import { setTimeout as pause } from "node:timers/promises";
import type { SeededRandom } from "../../src/model/simulator/seeded-random.ts";
import type { Client } from "./client.ts";
import { followRun, type NumberedEvent } from "./follow-events.ts";
import type { House } from "./house.ts";
import { drawOrder, type Order } from "./orders.ts";

/** The applications that use the house. Every order is a client of its own, none waits for another. */
export class Load {
  /** What readers saw who followed their runs through everything. */
  readonly followed = new Map<string, NumberedEvent[]>();
  private readonly house: House;
  private readonly client: Client;
  private readonly random: SeededRandom;
  private readonly orders: Promise<void>[] = [];
  private readonly aside: Promise<unknown>[] = [];
  private deadlineMs = Number.POSITIVE_INFINITY;

  constructor({ house, client, random }: { house: House; client: Client; random: SeededRandom }) {
    this.house = house;
    this.client = client;
    this.random = random;
  }

  /** Submits so many runs evenly over the time; and on, at a quarter of the pace, while `goesOn`. */
  async submit(runs: number, spanMs: number, goesOn: () => boolean): Promise<void> {
    const pauseMs = spanMs / runs;
    for (let number = 1, atMs = Date.now(); number <= runs || goesOn(); number++) {
      atMs += number <= runs ? pauseMs : 4 * pauseMs;
      await pause(Math.max(0, atMs - Date.now()));
      const done = this.serve(drawOrder(this.random, number));
      done.catch(() => {});
      this.orders.push(done);
    }
  }

  /** All orders are accepted, or given up. */
  async accepted(): Promise<void> {
    await Promise.allSettled(this.orders);
  }

  /** Also what was to be done to the runs later. */
  async finished(deadlineMs: number): Promise<void> {
    this.deadlineMs = deadlineMs;
    await Promise.allSettled(this.aside);
    // Replays add orders of their own.
    await Promise.allSettled(this.aside);
  }

  private async serve(order: Order): Promise<void> {
    const { client } = this;
    const run = await client.submit(order);
    if (order.flow === "approve") this.later(client.signal(run, "approval", { by: order.key }));
    if (order.cancelAfterMs !== null) this.later(pause(order.cancelAfterMs).then(() => client.cancel(run)));
    if (order.followed) this.later(followRun(this.house, run, () => this.deadlineMs).then((events) => this.followed.set(run, events)));
    if (order.misused) this.later(client.misuse(order));
    if (order.repeated) this.later(client.submit(order));
    if (order.replayed) this.later(this.replay(order, run));
  }

  private async replay(order: Order, run: string): Promise<void> {
    await this.client.ended(run);
    const again = await this.client.replay(order, run);
    if (order.flow === "approve") await this.client.signal(again, "approval", { by: order.key });
  }

  private later(work: Promise<unknown>): void {
    work.catch(() => {});
    this.aside.push(work);
  }
}
