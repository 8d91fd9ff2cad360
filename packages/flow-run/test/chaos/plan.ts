import type { SeededRandom } from "../../src/model/simulator/seeded-random.ts";

/** Faults of one worker. All workers may suffer at the same time, but there is a door that works, too. */
export const WORKER_FAULTS = [
  "kill-worker",
  "freeze-worker",
  "cut-worker",
  "hang-worker",
  "slow-link",
  "reset-link",
  "lose-commit",
] as const;
/** Faults of everybody. */
export const HOUSE_FAULTS = ["kill-door", "lose-accept", "connection-storm", "database-crash"] as const;
export const FAULT_KINDS = [...WORKER_FAULTS, ...HOUSE_FAULTS, "deploy"] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface PlannedFault {
  kind: FaultKind;
  /** When it begins, in milliseconds after the beginning of its round, and how long it lasts. */
  atMs: number;
  holdMs: number;
  /** Which worker or door, from 0; meaningless for others. */
  target: number;
}

/** One after the other: all faults of workers and of the house side by side, then a new release. */
export interface Round {
  faults: PlannedFault[];
  /** When the last of them is over. */
  spanMs: number;
}

/** How long a fault lasts: longer than a lease (10 s, found within 2 s) where the lease is to be lost. */
const HOLDS: Record<FaultKind, readonly [leastMs: number, mostMs: number]> = {
  "kill-worker": [200, 1_500],
  "freeze-worker": [12_000, 14_000],
  "cut-worker": [12_000, 13_500],
  "hang-worker": [12_000, 13_500],
  "slow-link": [2_000, 3_000],
  "reset-link": [0, 0],
  "lose-commit": [0, 0],
  "kill-door": [300, 1_500],
  "lose-accept": [0, 0],
  "connection-storm": [1_500, 2_500],
  "database-crash": [0, 1_000],
  deploy: [0, 0],
};

/** Every kind once, in another order, at other moments and places for each seed. */
export function drawRound(random: SeededRandom, { workers, doors }: { workers: number; doors: number }): Round {
  const faults: PlannedFault[] = [];
  const hold = (kind: FaultKind) => random.integer(...HOLDS[kind]);
  const freeAtMs = Array.from({ length: workers }, () => random.integer(200, 1_200));
  for (const kind of shuffled(random, WORKER_FAULTS)) {
    const target = freeAtMs.indexOf(Math.min(...freeAtMs));
    const fault = { kind, target, atMs: freeAtMs[target]!, holdMs: hold(kind) };
    faults.push(fault);
    freeAtMs[target] = fault.atMs + fault.holdMs + random.integer(300, 900);
  }
  let houseMs = random.integer(1_000, 2_500);
  for (const kind of shuffled(random, HOUSE_FAULTS)) {
    const fault = { kind, target: random.integer(0, doors - 1), atMs: houseMs, holdMs: hold(kind) };
    faults.push(fault);
    houseMs += fault.holdMs + random.integer(1_500, 3_000);
  }
  const spanMs = Math.max(houseMs, ...freeAtMs);
  faults.push({ kind: "deploy", target: 0, atMs: spanMs, holdMs: 0 });
  return { faults, spanMs };
}

/** What a fault happens to: two faults of one place never overlap. */
export function placeOf({ kind, target }: PlannedFault): string {
  if ((WORKER_FAULTS as readonly FaultKind[]).includes(kind)) return `worker ${target}`;
  return kind === "kill-door" || kind === "lose-accept" ? `door ${target}` : "database";
}

function shuffled<T>(random: SeededRandom, list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
