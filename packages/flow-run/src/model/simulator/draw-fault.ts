import type { SimulatorFaults } from "@flow-run/spec";
import { seededRandom } from "./seeded-random.ts";

const KINDS = [
  "rateLimit",
  "serverError",
  "overloaded",
  "timeout",
  "cutStream",
  "malformedBody",
  "malformedJson",
  "schemaMismatch",
] as const;
export type FaultKind = (typeof KINDS)[number];

/** Which fault, if any, befalls the request that the seed stands for. Faults of structured answers spare other answers. */
export function drawFault(faults: SimulatorFaults | undefined, seed: string, structured: boolean): FaultKind | null {
  if (!faults) return null;
  let drawn = seededRandom(seed).next();
  for (const kind of KINDS) {
    drawn -= faults[kind] ?? 0;
    if (drawn < 0) return structured || (kind !== "malformedJson" && kind !== "schemaMismatch") ? kind : null;
  }
  return null;
}
