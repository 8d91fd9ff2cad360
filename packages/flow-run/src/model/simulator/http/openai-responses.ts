import type { Json, JsonObject, TokenUsage } from "@flow-run/spec";
import type { Message, MessagePart } from "../../model.ts";
import { openaiError, openaiStatus } from "./openai-errors.ts";
import type { Protocol, TextAnswer, WireRequest } from "./protocol.ts";
import { WireError } from "./protocol.ts";
import { isObject, readConfig, readContent, readList, readModel, readRole, readSchema } from "./read-fields.ts";

const NOT_CONFIG = new Set([
  "model",
  "input",
  "instructions",
  "text",
  "stream",
  "stream_options",
  "user",
  "metadata",
  "store",
  "include",
  "max_output_tokens",
]);

/** `POST /v1/responses`. */
export const openaiResponses: Protocol = {
  name: "openai-responses",
  requestIdHeader: "x-request-id",
  status: openaiStatus,
  error: openaiError,
  billed: (usage) => usage,

  parse(body): WireRequest {
    const model = readModel(body);
    const messages: Message[] = [];
    if (typeof body.instructions === "string") messages.push({ role: "system", content: [{ text: body.instructions }] });
    if (typeof body.input === "string") messages.push({ role: "user", content: [{ text: body.input }] });
    else messages.push(...readList(body, "input").map(readItem));
    const config = readConfig(body, NOT_CONFIG);
    if (body.max_output_tokens !== undefined) config.maxOutputTokens = body.max_output_tokens;
    const output = readFormat(isObject(body.text) ? body.text.format : undefined);
    return {
      request: { model, messages, config, ...(output ? { output } : {}) },
      stream: body.stream === true,
      streamUsage: true,
      answerTool: null,
    };
  },

  whole({ request }, answer): Json {
    return response(request.model, answer, "done");
  },

  stream({ request }, answer) {
    const itemId = `msg_${answer.id}`;
    let sequence = 0;
    const event = (type: string, fields: JsonObject) => {
      const data = JSON.stringify({ type, sequence_number: sequence++, ...fields });
      return `event: ${type}\ndata: ${data}\n\n`;
    };
    const place = { item_id: itemId, output_index: 0, content_index: 0 };
    const begun = response(request.model, answer, "begun");
    const item = message(answer, "in_progress");
    const opening =
      event("response.created", { response: begun }) +
      event("response.in_progress", { response: begun }) +
      event("response.output_item.added", { output_index: 0, item: { ...item, content: [] } }) +
      event("response.content_part.added", { ...place, part: outputText("") });
    return {
      opening,
      piece: (text) => event("response.output_text.delta", { ...place, delta: text, logprobs: [] }),
      closing: () =>
        event("response.output_text.done", { ...place, text: answer.text, logprobs: [] }) +
        event("response.content_part.done", { ...place, part: outputText(answer.text) }) +
        event("response.output_item.done", { output_index: 0, item: message(answer, statusOf(answer)) }) +
        event(`response.${statusOf(answer)}`, { response: response(request.model, answer, "done") }),
    };
  },
};

function readItem(item: Json, index: number): Message {
  if (!isObject(item)) throw new WireError(`'input[${index}]' must be an object`);
  if (item.role === undefined) return { role: "tool", content: readContent(toText(item.output), readPart, `input[${index}].output`) };
  return {
    role: readRole(item.role, `input[${index}].role`),
    content: readContent(item.content, readPart, `input[${index}].content`),
  };
}

function toText(output: Json | undefined): Json | undefined {
  return isObject(output) ? JSON.stringify(output) : output;
}

function readPart(part: JsonObject): MessagePart | null {
  if (typeof part.text === "string") return { text: part.text };
  for (const key of ["image_url", "file_url", "file_data", "file_id"]) {
    if (typeof part[key] === "string") return { media: { url: part[key] } };
  }
  return null;
}

function readFormat(format: Json | undefined): WireRequest["request"]["output"] {
  if (!isObject(format) || format.type === "text") return undefined;
  if (format.type === "json_object") return {};
  if (format.type !== "json_schema") throw new WireError("'text.format.type' must be text, json_object or json_schema");
  return {
    schema: readSchema(format.schema, "text.format.schema"),
    ...(typeof format.name === "string" ? { name: format.name } : {}),
  };
}

function statusOf(answer: TextAnswer): "completed" | "incomplete" {
  return answer.finishReason === "stop" ? "completed" : "incomplete";
}

function message(answer: TextAnswer, status: string): JsonObject {
  return { id: `msg_${answer.id}`, type: "message", status, role: "assistant", content: [outputText(answer.text)] };
}

function outputText(text: string): JsonObject {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

function response(model: string, answer: TextAnswer, state: "begun" | "done"): JsonObject {
  const done = state === "done";
  const reason = answer.finishReason === "length" ? "max_output_tokens" : "content_filter";
  return {
    id: `resp_${answer.id}`,
    object: "response",
    created_at: Math.floor(Date.now() / 1000),
    status: done ? statusOf(answer) : "in_progress",
    error: null,
    incomplete_details: done && answer.finishReason !== "stop" ? { reason } : null,
    instructions: null,
    model,
    output: done ? [message(answer, statusOf(answer))] : [],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: "default",
    store: false,
    tool_choice: "auto",
    tools: [],
    truncation: "disabled",
    usage: done ? (answer.rawUsage ?? (answer.usage ? responsesUsage(answer.usage) : null)) : null,
    metadata: {},
  };
}

function responsesUsage(usage: TokenUsage): Json {
  const input = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const output = usage.outputTokens + usage.reasoningTokens;
  const cacheWrite: JsonObject = usage.cacheWriteTokens > 0 ? { cache_write_tokens: usage.cacheWriteTokens } : {};
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cacheReadTokens, ...cacheWrite },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: input + output,
  };
}
