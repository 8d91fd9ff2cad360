import type { Json, JsonObject, TokenUsage } from "@flow-run/spec";
import type { MessagePart } from "../../model.ts";
import { openaiError, openaiStatus } from "./openai-errors.ts";
import type { Protocol, TextAnswer, WireRequest, WireStream } from "./protocol.ts";
import { WireError } from "./protocol.ts";
import { isObject, readConfig, readContent, readList, readModel, readRole, readSchema } from "./read-fields.ts";

const NOT_CONFIG = new Set([
  "model",
  "messages",
  "response_format",
  "stream",
  "stream_options",
  "user",
  "metadata",
  "store",
  "max_tokens",
  "max_completion_tokens",
]);
const FINISH_REASONS = { stop: "stop", length: "length", "content-filter": "content_filter" } as const;

/** `POST /v1/chat/completions`. */
export const openaiChat: Protocol = {
  name: "openai-chat",
  requestIdHeader: "x-request-id",
  status: openaiStatus,
  error: openaiError,
  billed: (usage) => usage,

  parse(body): WireRequest {
    const model = readModel(body);
    const messages = readList(body, "messages").map((message, index) => {
      if (!isObject(message)) throw new WireError(`'messages[${index}]' must be an object`);
      return {
        role: readRole(message.role, `messages[${index}].role`),
        content: readContent(message.content, readPart, `messages[${index}].content`),
      };
    });
    const config = readConfig(body, NOT_CONFIG);
    const maxOutputTokens = body.max_completion_tokens ?? body.max_tokens;
    if (maxOutputTokens !== undefined) config.maxOutputTokens = maxOutputTokens;
    const output = readFormat(body.response_format);
    const streamOptions = body.stream_options;
    return {
      request: { model, messages, config, ...(output ? { output } : {}) },
      stream: body.stream === true,
      streamUsage: isObject(streamOptions) && streamOptions.include_usage === true,
      answerTool: null,
    };
  },

  whole({ request }, answer): Json {
    const message = { role: "assistant", content: answer.text, refusal: null, annotations: [] };
    return {
      id: `chatcmpl-${answer.id}`,
      object: "chat.completion",
      created: nowSeconds(),
      model: request.model,
      choices: [{ index: 0, message, logprobs: null, finish_reason: FINISH_REASONS[answer.finishReason] }],
      ...usageField(answer),
      service_tier: "default",
      system_fingerprint: "fp_simulator",
    };
  },

  stream: (wire, answer) => chatStream(wire, answer, wire.streamUsage ? "apart" : "none"),
};

/** Where a stream tells its usage: nowhere, in an event of its own (OpenAI), in its last event (Mistral), or there under `x_groq`. */
export type StreamUsagePlace = "none" | "apart" | "last" | "x_groq";

export function chatStream({ request }: WireRequest, answer: TextAnswer, place: StreamUsagePlace): WireStream {
  const common = {
    id: `chatcmpl-${answer.id}`,
    object: "chat.completion.chunk",
    created: nowSeconds(),
    model: request.model,
    service_tier: "default",
    system_fingerprint: "fp_simulator",
  };
  const nullUsage: JsonObject = place === "apart" ? { usage: null } : {};
  const event = (chunk: Json) => `data: ${JSON.stringify(chunk)}\n\n`;
  const delta = (content: Json, finish_reason: string | null, usage: JsonObject = nullUsage) =>
    event({ ...common, choices: [{ index: 0, delta: content, logprobs: null, finish_reason }], ...usage });
  return {
    opening: delta({ role: "assistant", content: "", refusal: null }, null),
    piece: (text) => delta({ content: text }, null),
    closing: () => {
      const usage = usageField(answer);
      const inLast = place === "last" ? usage : place === "x_groq" ? { x_groq: { id: `req_${answer.id}`, ...usage } } : nullUsage;
      const apart = place === "apart" ? event({ ...common, choices: [], ...usage }) : "";
      return `${delta({}, FINISH_REASONS[answer.finishReason], inLast)}${apart}data: [DONE]\n\n`;
    },
  };
}

function readFormat(format: Json | undefined): WireRequest["request"]["output"] {
  if (!isObject(format) || format.type === "text") return undefined;
  if (format.type === "json_object") return {};
  const { json_schema: wanted } = format;
  if (format.type !== "json_schema" || !isObject(wanted)) throw new WireError("'response_format' must be text, json_object or json_schema");
  return {
    ...(wanted.schema === undefined ? {} : { schema: readSchema(wanted.schema, "response_format.json_schema.schema") }),
    ...(typeof wanted.name === "string" ? { name: wanted.name } : {}),
  };
}

function readPart(part: JsonObject): MessagePart | null {
  if (typeof part.text === "string") return { text: part.text };
  const image = part.image_url;
  if (isObject(image) && typeof image.url === "string") return { media: { url: image.url } };
  if (typeof image === "string") return { media: { url: image } };
  if (isObject(part.file)) return { media: { url: String(part.file.file_data ?? part.file.file_id ?? "") } };
  return isObject(part.input_audio) ? { media: { url: String(part.input_audio.data ?? "") } } : null;
}

function usageField(answer: TextAnswer): JsonObject {
  if (answer.rawUsage !== undefined) return { usage: answer.rawUsage };
  return answer.usage ? { usage: chatUsage(answer.usage) } : {};
}

function chatUsage(usage: TokenUsage): Json {
  const prompt = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const completion = usage.outputTokens + usage.reasoningTokens;
  const cacheWrite: JsonObject = usage.cacheWriteTokens > 0 ? { cache_write_tokens: usage.cacheWriteTokens } : {};
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: usage.cacheReadTokens, audio_tokens: 0, ...cacheWrite },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
