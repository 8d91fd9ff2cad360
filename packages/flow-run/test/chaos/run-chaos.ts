import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Run, WebhookDelivery } from "@flow-run/spec";
import { seededRandom } from "../../src/model/simulator/seeded-random.ts";
import { AckLog } from "./ack-log.ts";
import { Canary } from "./canary.ts";
import { Client } from "./client.ts";
import { listAll, readBack } from "./collect.ts";
import { heal, type PerformedFault, perform } from "./faults.ts";
import type { ChaosHistory } from "./history.ts";
import { House } from "./house.ts";
import { Load } from "./load.ts";
import type { Network } from "./network.ts";
import { drawRound, placeOf, type Round } from "./plan.ts";

export interface ChaosOptions {
  /** The same seed brings the same orders, faults of vendors and plan of faults; what happens in between is up to the machine. */
  seed: string;
  /** How many runs are submitted, spread over the faults. */
  runs: number;
  /** Rounds of faults; each has every kind once. */
  rounds: number;
  /** The file of the program. */
  program: string;
  network: Network;
  /** Load without faults before the first. Default 3,000. */
  calmMs?: number;
  onProgress?(words: string): void;
}

/** After the last fault is healed everything that was accepted must end within this time. */
export const END_WITHIN_MS = 60_000;
/** A message whose sender died is sent again when its lease is over. */
const DELIVERED_WITHIN_MS = 60_000;

/** Builds a house, loads it, breaks it by plan, heals it and tells all that was seen. */
export async function runChaos(options: ChaosOptions): Promise<ChaosHistory> {
  const { seed, runs, rounds, program, network, calmMs = 3_000, onProgress = () => {} } = options;
  const house = await House.open({ program, network, seed });
  const log = new AckLog(path.join(house.directory, "acknowledged.jsonl"));
  const client = new Client({ house, log, random: seededRandom(`${seed} client`) });
  try {
    const random = seededRandom(`${seed} plan`);
    const plan = Array.from({ length: rounds }, () => drawRound(random, { workers: house.workers.length, doors: house.doors.length }));
    const load = new Load({ house, client, random: seededRandom(`${seed} orders`) });
    const canary = new Canary(client);
    onProgress(`house open: ${house.slots.length} servers`);

    canary.start();
    const faults: PerformedFault[] = [];
    let over = false;
    const expectedMs = calmMs + plan.reduce((sum, round) => sum + round.spanMs + ROLLING_MS, 0);
    const submitting = load.submit(runs, expectedMs, () => !over);
    await pause(calmMs);
    const faultsFromMs = Date.now();
    for (const [index, round] of plan.entries()) {
      faults.push(...(await performRound(house, round)));
      onProgress(`round ${index + 1} of ${rounds} over, ${log.accepted.size} runs accepted`);
    }
    heal(house);
    const healedMs = Date.now();
    over = true;
    const deadlineMs = healedMs + END_WITHIN_MS;
    client.giveUpAt(deadlineMs);
    await submitting;
    await load.accepted();
    await canary.stop();
    await load.finished(deadlineMs);
    const left = await untilEnded(house, deadlineMs);
    const endedMs = Date.now();
    onProgress(`${log.accepted.size} runs ended ${endedMs - healedMs} ms after the last fault`);

    client.giveUpAt(Number.POSITIVE_INFINITY);
    await untilDelivered(client, Date.now() + DELIVERED_WITHIN_MS);
    const ids = [...log.accepted.values()].map((accepted) => accepted.run);
    const read = await readBack(house, client, ids, Math.ceil(ids.length / 500));
    return {
      ...read,
      accepted: log.accepted,
      complaints: [...log.complaints, ...house.deaths, ...left.map((id) => `end always: ${id} has not ended`)],
      releases: house.releases,
      followed: load.followed,
      requests: await house.asked(),
      arrivals: house.sink.arrivals,
      story: await house.story(),
      faults,
      chirps: canary.chirps,
      faultsFromMs,
      healedMs,
      endedMs,
    };
  } finally {
    client.giveUpAt(0);
    log.close();
    await house.close();
  }
}

/** About as long as a rolling deploy takes. */
const ROLLING_MS = 6_000;

/** All faults at their times, or later where the one before on the same server takes longer than planned; the last one when all others are over. */
async function performRound(house: House, { faults }: Round): Promise<PerformedFault[]> {
  const last = faults.at(-1)!;
  const before = new Map<string, Promise<unknown>>();
  const others = faults.slice(0, -1).map((fault) => {
    const place = placeOf(fault);
    const done = Promise.all([pause(fault.atMs), before.get(place)]).then(() => perform(house, fault));
    before.set(place, done);
    return done;
  });
  return [...(await Promise.all(others)), await perform(house, last)];
}

/** Runs that have not ended by then. */
async function untilEnded(house: House, deadlineMs: number): Promise<string[]> {
  return house.asAdmin(async (admin) => {
    for (;;) {
      const { rows } = await admin.query<{ id: Run["id"] }>("SELECT id FROM flow_run.run WHERE finished_at IS NULL");
      if (rows.length === 0 || Date.now() > deadlineMs) return rows.map((row) => row.id);
      await pause(100);
    }
  });
}

/** A second failure of one message is made up for only after minutes; such messages are asked for by hand, as an operator would. */
async function untilDelivered(client: Client, deadlineMs: number): Promise<void> {
  while (Date.now() < deadlineMs) {
    const pending = await listAll<WebhookDelivery>(client, "/v1/webhooks/deliveries?status=pending", "deliveries");
    if (pending.length === 0) return;
    for (const { id, nextAttemptAt } of pending) {
      if (Date.parse(nextAttemptAt!) > deadlineMs) await client.send("POST", `/v1/webhooks/deliveries/${id}/replay`).catch(() => {});
    }
    await pause(250);
  }
}
