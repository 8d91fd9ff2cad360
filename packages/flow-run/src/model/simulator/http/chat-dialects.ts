import type { Json } from "@flow-run/spec";
import { chatStream, openaiChat } from "./openai-chat.ts";
import type { Protocol } from "./protocol.ts";

/** `POST /mistral/v1/chat/completions`: OpenAI's chat completions with Mistral's errors and its place for the usage of a stream. */
export const mistralChat: Protocol = {
  ...openaiChat,
  name: "mistral-chat",
  stream: (wire, answer) => chatStream(wire, answer, "last"),
  error: mistralError,
};

/** `POST /groq/openai/v1/chat/completions`: the same with Groq's place for the usage of a stream. */
export const groqChat: Protocol = { ...openaiChat, name: "groq-chat", stream: (wire, answer) => chatStream(wire, answer, "x_groq") };

function mistralError(status: number, message: string): Json {
  const type = status === 429 ? "rate_limited" : status >= 500 ? "internal_server_error" : "invalid_request_error";
  return { object: "error", message, type, param: null, code: null };
}
