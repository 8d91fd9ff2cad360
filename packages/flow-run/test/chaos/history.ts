import type { Run, Step, WebhookDelivery } from "@flow-run/spec";
import type { SimulatedRequest } from "../support/invariants.ts";
import type { AckLog } from "./ack-log.ts";
import type { Chirp } from "./canary.ts";
import type { PerformedFault } from "./faults.ts";
import type { NumberedEvent } from "./follow-events.ts";
import type { DatabaseStory } from "./observer.ts";
import type { Arrival } from "./sink.ts";

/** What happened, from every side that saw it. The checks read nothing else. */
export interface ChaosHistory {
  accepted: AckLog["accepted"];
  /** What was wrong on its face: answers that no server may give, orders that were never accepted, servers that ended by themselves. */
  complaints: readonly string[];
  /** Versions by release. */
  releases: ReadonlyMap<number, string>;
  /** All runs as the API lists them. */
  listed: readonly Run[];
  /** Each accepted run as it is read by its id; absent when it cannot be. */
  runs: ReadonlyMap<string, Run>;
  steps: ReadonlyMap<string, readonly Step[]>;
  /** Events read from the beginning after the end, and those that were followed live. */
  replayed: ReadonlyMap<string, readonly NumberedEvent[]>;
  followed: ReadonlyMap<string, readonly NumberedEvent[]>;
  deliveries: readonly WebhookDelivery[];
  requests: readonly SimulatedRequest[];
  arrivals: readonly Arrival[];
  story: DatabaseStory;
  faults: readonly PerformedFault[];
  chirps: readonly Chirp[];
  /** The faults began, the last one was healed, and the last accepted run had ended. */
  faultsFromMs: number;
  healedMs: number;
  endedMs: number;
}

/** A check tells each violation in words that begin with the guarantee's name. */
export type Check = (history: ChaosHistory) => Generator<string>;
