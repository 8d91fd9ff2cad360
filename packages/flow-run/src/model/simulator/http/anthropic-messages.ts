import type { Json, JsonObject, TokenUsage } from "@flow-run/spec";
import type { Message, MessagePart } from "../../model.ts";
import type { Protocol, TextAnswer, WireRequest } from "./protocol.ts";
import { parseObject, WireError } from "./protocol.ts";
import { isObject, readConfig, readContent, readList, readModel, readRole, readSchema } from "./read-fields.ts";

const NOT_CONFIG = new Set([
  "model",
  "messages",
  "system",
  "output_config",
  "output_format",
  "tools",
  "tool_choice",
  "stream",
  "metadata",
  "max_tokens",
]);
const ERROR_TYPES: { [status: number]: string } = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};
const STOP_REASONS = { stop: "end_turn", length: "max_tokens", "content-filter": "refusal" } as const;

/** `POST /v1/messages`. */
export const anthropicMessages: Protocol = {
  name: "anthropic",
  requestIdHeader: "request-id",
  status: (status) => status,
  billed: (usage) => usage,

  error(status, message, requestId): Json {
    const type = ERROR_TYPES[status] ?? (status >= 500 ? "api_error" : "invalid_request_error");
    return { type: "error", error: { type, message }, request_id: requestId };
  },

  parse(body): WireRequest {
    const model = readModel(body);
    if (!Number.isInteger(body.max_tokens) || (body.max_tokens as number) < 1) throw new WireError("max_tokens: Field required");
    const system = readContent(body.system, readPart, "system");
    const messages: Message[] = system.length > 0 ? [{ role: "system", content: system }] : [];
    for (const [index, message] of readList(body, "messages").entries()) {
      if (!isObject(message)) throw new WireError(`messages.${index}: must be an object`);
      const role = readRole(message.role, `messages.${index}.role`);
      messages.push({ role, content: readContent(message.content, readPart, `messages.${index}.content`) });
    }
    const config = { ...readConfig(body, NOT_CONFIG), maxOutputTokens: body.max_tokens! };
    const tool = readForcedTool(body);
    const output = readFormat(body) ?? tool?.output;
    return {
      request: { model, messages, config, ...(output ? { output } : {}) },
      stream: body.stream === true,
      streamUsage: true,
      answerTool: readFormat(body) ? null : (tool?.name ?? null),
    };
  },

  whole(wire, answer): Json {
    const input = toolInput(wire, answer);
    return {
      ...begin(wire, answer),
      content: [input ? { type: "tool_use", id: `toolu_${answer.id}`, name: wire.answerTool, input } : { type: "text", text: answer.text }],
      stop_reason: stopReason(answer, input),
      ...usageField(answer, (usage) => usage),
    };
  },

  stream(wire, answer) {
    const input = toolInput(wire, answer);
    const event = (type: string, fields: JsonObject) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
    const block: JsonObject = input
      ? { type: "tool_use", id: `toolu_${answer.id}`, name: wire.answerTool, input: {} }
      : { type: "text", text: "" };
    // The first event says what the input cost and that one token was begun; the last one has the final counts.
    const started = {
      ...begin(wire, answer),
      usage: answer.usage ? messageUsage({ ...answer.usage, outputTokens: 1, reasoningTokens: 0 }) : emptyUsage(),
    };
    const delta = (text: string): JsonObject => (input ? { type: "input_json_delta", partial_json: text } : { type: "text_delta", text });
    return {
      opening:
        event("message_start", { message: started }) + event("content_block_start", { index: 0, content_block: block }) + event("ping", {}),
      piece: (text) => event("content_block_delta", { index: 0, delta: delta(text) }),
      closing: () =>
        event("content_block_stop", { index: 0 }) +
        event("message_delta", {
          delta: { stop_reason: stopReason(answer, input), stop_sequence: null },
          ...usageField(answer, deltaUsage),
        }) +
        event("message_stop", {}),
    };
  },
};

function readPart(part: JsonObject): MessagePart | null {
  if (typeof part.text === "string") return { text: part.text };
  const { source } = part;
  if (isObject(source)) return { media: { url: String(source.url ?? source.data ?? ""), contentType: String(source.media_type ?? "") } };
  if (part.type !== "tool_result") return null;
  return {
    text: readContent(part.content, readPart, "tool_result.content")
      .map((inner) => ("text" in inner ? inner.text : ""))
      .join("\n"),
  };
}

/** Structured output: `output_config.format`, and `output_format` as it was before. */
function readFormat(body: JsonObject): WireRequest["request"]["output"] {
  const format = isObject(body.output_config) && isObject(body.output_config.format) ? body.output_config.format : body.output_format;
  if (!isObject(format)) return undefined;
  if (format.type !== "json_schema") throw new WireError("output_config.format.type: must be json_schema");
  return { schema: readSchema(format.schema, "output_config.format.schema") };
}

/** The tool that the model has to call: the one that is named, or the last one where any will do. */
function readForcedTool(body: JsonObject): { name: string; output: { schema: ReturnType<typeof readSchema>; name: string } } | null {
  const choice = body.tool_choice;
  const tools = body.tools;
  if (!isObject(choice) || !Array.isArray(tools) || (choice.type !== "any" && choice.type !== "tool")) return null;
  const tool = choice.type === "tool" ? tools.find((candidate) => isObject(candidate) && candidate.name === choice.name) : tools.at(-1);
  if (!isObject(tool) || typeof tool.name !== "string") throw new WireError("tool_choice: the tool is not among the tools");
  return { name: tool.name, output: { schema: readSchema(tool.input_schema, "tools.input_schema"), name: tool.name } };
}

/** The answer as a tool's input; undefined where it is text, also where the model failed to write an object. */
function toolInput({ answerTool }: WireRequest, answer: TextAnswer): JsonObject | undefined {
  return answerTool === null ? undefined : parseObject(answer.text);
}

function begin({ request }: WireRequest, answer: TextAnswer): JsonObject {
  return {
    id: `msg_${answer.id}`,
    type: "message",
    role: "assistant",
    model: request.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
}

function stopReason(answer: TextAnswer, input: JsonObject | undefined): string {
  return input && answer.finishReason === "stop" ? "tool_use" : STOP_REASONS[answer.finishReason];
}

function usageField(answer: TextAnswer, narrow: (usage: JsonObject) => JsonObject): JsonObject {
  if (answer.rawUsage !== undefined) return { usage: answer.rawUsage };
  return { usage: answer.usage ? narrow(messageUsage(answer.usage)) : null };
}

function messageUsage(usage: TokenUsage): JsonObject {
  return {
    input_tokens: usage.inputTokens,
    cache_creation_input_tokens: usage.cacheWriteTokens,
    cache_read_input_tokens: usage.cacheReadTokens,
    cache_creation: { ephemeral_5m_input_tokens: usage.cacheWriteTokens, ephemeral_1h_input_tokens: 0 },
    output_tokens: usage.outputTokens + usage.reasoningTokens,
    ...(usage.reasoningTokens > 0 ? { output_tokens_details: { thinking_tokens: usage.reasoningTokens } } : {}),
    service_tier: "standard",
  };
}

function deltaUsage({ cache_creation: _, service_tier: __, ...usage }: JsonObject): JsonObject {
  return usage;
}

function emptyUsage(): JsonObject {
  return { input_tokens: 0, output_tokens: 0 };
}
