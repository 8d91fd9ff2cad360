import type { Json, JsonObject, JsonSchema, TokenUsage } from "@flow-run/spec";
import type { Message, MessagePart } from "../../model.ts";
import type { Protocol, TextAnswer, WireRequest } from "./protocol.ts";
import { WireError } from "./protocol.ts";
import { isObject, readConfig, readContent, readList, readRole, readSchema } from "./read-fields.ts";

const NOT_CONFIG = new Set(["responseMimeType", "responseSchema", "responseJsonSchema", "_responseJsonSchema"]);
const STATUS_NAMES: { [status: number]: string } = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "ABORTED",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  501: "UNIMPLEMENTED",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};
const FINISH_REASONS = { stop: "STOP", length: "MAX_TOKENS", "content-filter": "SAFETY" } as const;

/** `POST /v1beta/models/MODEL:generateContent` and `:streamGenerateContent`; which of them, the route knows. */
export const googleGenerate: Protocol = {
  name: "google",
  requestIdHeader: "x-request-id",
  status: (status) => (status === 529 ? 503 : status),
  // Google has no count of tokens written to a cache: they are input like any other.
  billed: (usage) => ({ ...usage, inputTokens: usage.inputTokens + usage.cacheWriteTokens, cacheWriteTokens: 0 }),

  error(status, message, _requestId, retryAfterMs): Json {
    const retryInfo = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${(retryAfterMs ?? 0) / 1000}s` };
    return {
      error: {
        code: status,
        message,
        status: STATUS_NAMES[status] ?? (status >= 500 ? "INTERNAL" : "INVALID_ARGUMENT"),
        ...(retryAfterMs === null ? {} : { details: [retryInfo] }),
      },
    };
  },

  parse(body, model): WireRequest {
    if (!model) throw new WireError("the model's name is missing in the path");
    const messages: Message[] = [];
    const system = body.systemInstruction ?? body.system_instruction;
    if (isObject(system)) messages.push({ role: "system", content: readContent(system.parts, readPart, "systemInstruction.parts") });
    for (const [index, content] of readList(body, "contents").entries()) {
      if (!isObject(content)) throw new WireError(`contents[${index}] must be an object`);
      const role = readRole(content.role ?? "user", `contents[${index}].role`);
      messages.push({ role, content: readContent(content.parts, readPart, `contents[${index}].parts`) });
    }
    const generation = isObject(body.generationConfig) ? body.generationConfig : {};
    const output = readFormat(generation);
    const request = { model, messages, config: readConfig(generation, NOT_CONFIG), ...(output ? { output } : {}) };
    return { request, stream: false, streamUsage: true, answerTool: null };
  },

  whole(wire, answer): Json {
    return chunk(wire, answer, answer.text, true);
  },

  stream(wire, answer) {
    const event = (text: string, last: boolean) => `data: ${JSON.stringify(chunk(wire, answer, text, last))}\r\n\r\n`;
    return { opening: "", piece: (text) => event(text, false), closing: () => event("", true) };
  },
};

function readPart(part: JsonObject): MessagePart | null {
  if (typeof part.text === "string") return { text: part.text };
  if (isObject(part.inlineData))
    return { media: { url: String(part.inlineData.data ?? ""), contentType: String(part.inlineData.mimeType ?? "") } };
  if (isObject(part.fileData))
    return { media: { url: String(part.fileData.fileUri ?? ""), contentType: String(part.fileData.mimeType ?? "") } };
  return isObject(part.functionResponse) ? { text: JSON.stringify(part.functionResponse) } : null;
}

function readFormat(generation: JsonObject): WireRequest["request"]["output"] {
  const schema = generation.responseJsonSchema ?? generation._responseJsonSchema;
  if (schema !== undefined) return { schema: readSchema(schema, "generationConfig.responseJsonSchema") };
  if (generation.responseSchema !== undefined)
    return { schema: fromOpenApi(readSchema(generation.responseSchema, "generationConfig.responseSchema")) };
  return generation.responseMimeType === "application/json" ? {} : undefined;
}

/** Google's `responseSchema` is OpenAPI's dialect: types in capitals, `nullable`. */
function fromOpenApi(schema: JsonSchema): JsonSchema {
  if (typeof schema === "boolean") return schema;
  const { nullable, type, properties, items, anyOf, ...rest } = schema;
  const plain: { [keyword: string]: Json } = { ...rest };
  for (const keyword of ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"]) {
    if (typeof plain[keyword] === "string") plain[keyword] = Number(plain[keyword]);
  }
  const lower = typeof type === "string" ? type.toLowerCase() : undefined;
  if (lower !== undefined) plain.type = nullable === true ? [lower, "null"] : lower;
  if (isObject(properties))
    plain.properties = Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, fromOpenApi(inner as JsonSchema)]));
  if (items !== undefined) plain.items = fromOpenApi(items as JsonSchema);
  if (Array.isArray(anyOf)) plain.anyOf = anyOf.map((inner) => fromOpenApi(inner as JsonSchema));
  return plain;
}

function chunk({ request }: WireRequest, answer: TextAnswer, text: string, last: boolean): JsonObject {
  const finish: JsonObject = last ? { finishReason: FINISH_REASONS[answer.finishReason] } : {};
  return {
    candidates: [{ content: { parts: [{ text }], role: "model" }, ...finish, index: 0 }],
    ...usageField(answer, last),
    modelVersion: request.model,
    responseId: answer.id,
  };
}

/** Every chunk counts; only the last one counts the output. */
function usageField(answer: TextAnswer, last: boolean): JsonObject {
  if (answer.rawUsage !== undefined) return { usageMetadata: answer.rawUsage };
  return answer.usage ? { usageMetadata: usageMetadata(answer.usage, last) } : {};
}

function usageMetadata(usage: TokenUsage, last: boolean): Json {
  const prompt = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const output = last ? usage.outputTokens : 0;
  const thoughts = last ? usage.reasoningTokens : 0;
  return {
    promptTokenCount: prompt,
    ...(last ? { candidatesTokenCount: output } : {}),
    totalTokenCount: prompt + output + thoughts,
    ...(usage.cacheReadTokens > 0 ? { cachedContentTokenCount: usage.cacheReadTokens } : {}),
    ...(thoughts > 0 ? { thoughtsTokenCount: thoughts } : {}),
    promptTokensDetails: [{ modality: "TEXT", tokenCount: prompt }],
  };
}
