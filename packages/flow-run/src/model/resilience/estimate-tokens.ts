import type { ModelRequest } from "../model.ts";

const CHARACTERS_PER_TOKEN = 4;
const USUAL_ANSWER = 500;

/** What a request will roughly cost of a model's tokens per minute; settled with the real number afterwards. */
export function estimateTokens({ messages, config }: ModelRequest): number {
  const characters = messages
    .flatMap((message) => message.content)
    .reduce((sum, part) => sum + ("text" in part ? part.text.length : 1_000), 0);
  const answer = typeof config.maxOutputTokens === "number" ? config.maxOutputTokens : USUAL_ANSWER;
  return Math.ceil(characters / CHARACTERS_PER_TOKEN) + answer;
}
