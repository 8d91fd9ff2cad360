import type { ModelRequest } from "../model.ts";

const MAX_LENGTH = 300;
/** A run of so many characters that also stands in the prompt is taken for a quotation of it. */
const QUOTATION = 16;
const KEY_SHAPES = /\b(?:sk|rk|pk|gsk|xai|AIza|key|frk|Bearer)[-_ ]?[A-Za-z0-9_\-*.]{8,}/g;

/**
 * What the vendor wrote about a refused request, fit for logs: keys, and whatever it quotes from the prompt, are blotted out, because errors are
 * journaled, logged and sent to webhooks where the prompt must not appear.
 */
export function vendorMessage(message: string, request: ModelRequest, secrets: readonly string[]): string {
  let text = message.slice(0, 4 * MAX_LENGTH);
  for (const secret of secrets) if (secret.length >= 4) text = text.replaceAll(secret, "…");
  text = text.replace(KEY_SHAPES, "…");
  for (const part of request.messages.flatMap((entry) => entry.content)) {
    text = blotQuotations(text, "text" in part ? part.text : part.media.url);
  }
  // Control characters could forge lines in a log.
  text = text
    .toWellFormed()
    .replace(/\p{Cc}+/gu, " ")
    .trim();
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}

function blotQuotations(text: string, source: string): string {
  const whole = source.trim();
  if (whole.length >= 4 && whole.length < QUOTATION) return text.replaceAll(whole, "…");
  let result = "";
  let at = 0;
  while (at < text.length) {
    let length = 0;
    if (at + QUOTATION <= text.length && source.includes(text.slice(at, at + QUOTATION))) {
      length = QUOTATION;
      while (at + length < text.length && source.includes(text.slice(at, at + length + 1))) length++;
    }
    result += length > 0 ? "…" : text[at];
    at += length > 0 ? length : 1;
  }
  return result;
}
