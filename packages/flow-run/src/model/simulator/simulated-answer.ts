import type { Json, TokenUsage } from "@flow-run/spec";

/** When the parts of an answer are due, in milliseconds. */
export interface AnswerTiming {
  /** From the request to the beginning of the answer. */
  beginMs: number;
  /** From there to the first text. */
  firstTextMs: number;
  /** From one piece of text to the next. */
  perPieceMs: number;
}

/** How an answer breaks although the model wrote it. */
export type AnswerFault =
  | { kind: "cut"; afterPieces: number | "half" }
  | { kind: "stall"; afterPieces: number }
  | { kind: "endless" }
  | { kind: "malformed-body" };

/** The model wrote something. */
export interface SimulatedText {
  kind: "text";
  text: string;
  finishReason: "stop" | "length" | "content-filter";
  /** null: none is reported. */
  usage: TokenUsage | null;
  /** Sent in place of the vendor's usage object. */
  rawUsage?: Json;
  fault: AnswerFault | null;
}

/** The request is refused, or answered with something that is not the vendor's protocol. */
export interface SimulatedRefusal {
  kind: "refusal";
  status: number;
  message: string;
  retryAfterMs: number | null;
  headers: { [name: string]: string };
  /** Raw body instead of the vendor's error shape. */
  body: string | null;
}

/** Nothing ever comes. */
export interface SimulatedSilence {
  kind: "silence";
}

export type SimulatedAnswer = (SimulatedText | SimulatedRefusal | SimulatedSilence) & {
  /** Equal for equal requests asked equally often; 32 hex digits. */
  id: string;
  /** How often the very same request was asked, this time included. */
  attempt: number;
  timing: AnswerTiming;
};
