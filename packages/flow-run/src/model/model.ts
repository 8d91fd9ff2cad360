import type { Json, JsonSchema, TokenUsage } from "@flow-run/spec";

/** One part of a message. */
export type MessagePart = { text: string } | { media: { url: string; contentType?: string } };

export interface Message {
  role: "system" | "user" | "model" | "tool";
  content: MessagePart[];
}

/** What a model is asked, free of any vendor's shapes. */
export interface ModelRequest {
  messages: Message[];
  /** temperature, maxOutputTokens, topP, topK, stopSequences, seed, presencePenalty, frequencyPenalty; others go to the vendor as they are. */
  config: { [name: string]: Json };
  /** Present: the answer must be JSON that fits the schema. */
  output?: { schema?: JsonSchema };
}

export interface ModelAnswer {
  text: string;
  finishReason: "stop" | "length" | "content-filter" | "tool-calls" | "error" | "other";
  /** null when the vendor sent none or nonsense. */
  usage: TokenUsage | null;
  rawUsage: Json;
  /** The model that the vendor says answered. */
  responseModel: string | null;
  responseId: string | null;
  /** Milliseconds from sending to the first text; null when the answer came whole. */
  timeToFirstTokenMs: number | null;
  /** What the provider could not honour, for example a setting that this model does not take. */
  warnings?: string[];
  /** Milliseconds for which the provider will take no further request to this model, as it says in its headers. */
  pauseMs?: number;
}

export interface ModelCallOptions {
  signal: AbortSignal;
  /** Given: the answer is streamed and each piece of text handed over as it comes. */
  onText?: (delta: string) => void;
  /** Names the attempt to servers that are not a vendor's own (simulator, gateways): header `x-flow-run-attempt`. */
  attemptId?: string;
  /** A stream that stays silent this long after its first text is given up. Default 30,000. */
  idleTimeoutMs?: number;
}

/** One provider, ready to be asked. Throws `ModelCallError` and nothing else. */
export interface ModelProvider {
  call(model: string, request: ModelRequest, options: ModelCallOptions): Promise<ModelAnswer>;
  close(): Promise<void>;
}
