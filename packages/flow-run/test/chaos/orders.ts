import type { JsonObject } from "@flow-run/spec";
import type { SeededRandom } from "../../src/model/simulator/seeded-random.ts";
import { LOAD_FLOWS, type LoadFlowName, loadFlow } from "./flows.ts";

/** What the client is going to ask for, and what else it will do to the run. */
export interface Order {
  /** Idempotency-Key, tag and text of the run. */
  key: string;
  flow: LoadFlowName;
  input: JsonObject;
  webhook: boolean;
  /** Cancelled so long after it was accepted; null: not at all. */
  cancelAfterMs: number | null;
  /** Started once more by `replay` after its end. */
  replayed: boolean;
  /** Sent again after it was accepted: must be answered with the same run. */
  repeated: boolean;
  /** The key is used for another request afterwards: must be refused. */
  misused: boolean;
  /** Its events are read live, through whatever happens. */
  followed: boolean;
}

const NAMES = Object.keys(LOAD_FLOWS) as LoadFlowName[];
/** Each as often as its weight says. */
const BASKET = NAMES.flatMap((name) => Array.from({ length: loadFlow(name)!.weight }, () => name));

export function drawOrder(random: SeededRandom, number: number): Order {
  const key = `order-${number}`;
  const flow = random.pick(BASKET);
  const one = (share: number) => random.next() < share;
  return {
    key,
    flow,
    input: loadFlow(flow)!.input(`text of ${key}`),
    webhook: one(0.4),
    cancelAfterMs: one(0.04) ? random.integer(0, 2_000) : null,
    replayed: one(0.03),
    repeated: one(0.05),
    misused: one(0.02),
    followed: one(0.04),
  };
}
