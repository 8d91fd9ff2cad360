import { anthropicMessages } from "./anthropic-messages.ts";
import { groqChat, mistralChat } from "./chat-dialects.ts";
import { googleGenerate } from "./google-generate.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";
import type { Protocol } from "./protocol.ts";

/** Where a vendor's request goes. */
export interface ModelRoute {
  protocol: Protocol;
  /** From the path, where the vendor has it there. */
  model: string | null;
  /** Set where the path, and not the body, says whether to stream. */
  stream?: boolean;
}

/** For people who ask for something else. */
export const ROUTES = [
  "POST /v1/chat/completions",
  "POST /v1/responses",
  "POST /v1/messages",
  "POST /mistral/v1/chat/completions",
  "POST /groq/openai/v1/chat/completions",
  "POST /v1beta/models/{model}:generateContent",
  "POST /v1beta/models/{model}:streamGenerateContent?alt=sse",
  "GET /v1/models",
  "GET /_requests?since=N&limit=N",
  "GET /_totals",
  "DELETE /_requests",
  "GET /_script",
  "PUT /_script",
] as const;

const FIXED = new Map<string, ModelRoute>([
  ["/v1/chat/completions", { protocol: openaiChat, model: null }],
  ["/v1/responses", { protocol: openaiResponses, model: null }],
  ["/v1/messages", { protocol: anthropicMessages, model: null }],
  ["/mistral/v1/chat/completions", { protocol: mistralChat, model: null }],
  ["/groq/openai/v1/chat/completions", { protocol: groqChat, model: null }],
]);
const GOOGLE = /^\/v1(?:beta)?\/(?:models\/)?(.+):(generateContent|streamGenerateContent)$/;

export function findModelRoute(path: string): ModelRoute | null {
  const fixed = FIXED.get(path);
  if (fixed) return fixed;
  const google = GOOGLE.exec(path);
  if (!google) return null;
  return { protocol: googleGenerate, model: decodePath(google[1]!), stream: google[2] === "streamGenerateContent" };
}

function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
