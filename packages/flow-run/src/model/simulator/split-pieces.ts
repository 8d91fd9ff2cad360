/** Cuts a text into the pieces in which it is streamed: words or parts of words, each with the blanks before it, about a token long. */
export function splitPieces(text: string): string[] {
  return text.match(/\s*\S{1,8}|\s+/gu) ?? [];
}
