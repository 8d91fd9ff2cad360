import type { Json, JsonObject, TokenUsage } from "@flow-run/spec";
import type { SimulatedAnswer, SimulatedText } from "../simulated-answer.ts";
import type { SimulatorRequest } from "../simulated-request.ts";

export type ProtocolName = "openai-chat" | "mistral-chat" | "groq-chat" | "openai-responses" | "anthropic" | "google";

/** A request as it came over one vendor's wire. */
export interface WireRequest {
  request: SimulatorRequest;
  stream: boolean;
  /** Whether a stream ends with usage. */
  streamUsage: boolean;
  /** The answer is given as a call of this tool. */
  answerTool: string | null;
}

export type TextAnswer = SimulatedAnswer & SimulatedText;

/** A streamed answer in the three parts it is sent in, as server-sent events. */
export interface WireStream {
  opening: string;
  piece(text: string): string;
  closing(): string;
}

/** How one vendor's wire looks. Pure: text in, text out. */
export interface Protocol {
  name: ProtocolName;
  /** Throws WireError for a body that the vendor would refuse. */
  parse(body: JsonObject, model: string | null): WireRequest;
  /** The usage that this wire can express: what the vendor bills. */
  billed(usage: TokenUsage): TokenUsage;
  whole(wire: WireRequest, answer: TextAnswer): Json;
  stream(wire: WireRequest, answer: TextAnswer): WireStream;
  error(status: number, message: string, requestId: string, retryAfterMs: number | null): Json;
  /** The status for a status that only some vendors have. */
  status(status: number): number;
  /** The header that carries the request's id. */
  requestIdHeader: string;
}

/** The vendor would refuse this request with status 400. */
export class WireError extends Error {}

/** The text in JSON as a model wrote it; undefined when it is not a JSON object. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
