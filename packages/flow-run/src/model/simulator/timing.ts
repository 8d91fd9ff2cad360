import type { SimulatorLatency } from "@flow-run/spec";
import { durationMs } from "@flow-run/spec";
import { seededRandom } from "./seeded-random.ts";
import type { AnswerTiming } from "./simulated-answer.ts";

/** A script's latency in milliseconds. */
export interface TimingRange {
  minMs: number;
  maxMs: number;
  firstTextMs: number;
  perPieceMs: number;
}

const NO_TIME: TimingRange = { minMs: 0, maxMs: 0, firstTextMs: 0, perPieceMs: 0 };

export function compileLatency(latency: SimulatorLatency | undefined): TimingRange {
  if (latency === undefined) return NO_TIME;
  if (typeof latency === "string") return { ...NO_TIME, minMs: durationMs(latency), maxMs: durationMs(latency) };
  const minMs = latency.min === undefined ? 0 : durationMs(latency.min);
  return {
    minMs,
    maxMs: Math.max(minMs, latency.max === undefined ? minMs : durationMs(latency.max)),
    firstTextMs: latency.firstToken === undefined ? 0 : durationMs(latency.firstToken),
    perPieceMs: latency.perToken === undefined ? 0 : durationMs(latency.perToken),
  };
}

/** The timing of one answer: the same for the same seed. */
export function drawTiming(range: TimingRange, seed: string): AnswerTiming {
  const beginMs = range.maxMs > range.minMs ? range.minMs + seededRandom(seed).next() * (range.maxMs - range.minMs) : range.minMs;
  return { beginMs, firstTextMs: range.firstTextMs, perPieceMs: range.perPieceMs };
}
