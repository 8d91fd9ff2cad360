import type { SimulatorRequest } from "./simulated-request.ts";

const CHARACTERS_PER_TOKEN = 4;
const TOKENS_PER_MESSAGE = 4;
const TOKENS_PER_MEDIA = 258;

/** About as many tokens as a real tokenizer would count; exact only in being the same every time. */
export function estimateTextTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

/** Tokens of everything that is sent to the model: messages, media and the schema. */
export function estimateInputTokens(request: SimulatorRequest): number {
  let tokens = 0;
  for (const message of request.messages) {
    tokens += TOKENS_PER_MESSAGE;
    for (const part of message.content) tokens += "text" in part ? estimateTextTokens(part.text) : TOKENS_PER_MEDIA;
  }
  const schema = request.output?.schema;
  return typeof schema === "object" ? tokens + estimateTextTokens(JSON.stringify(schema)) : tokens;
}
