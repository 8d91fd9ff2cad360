import { RE2JS } from "re2js";

const MAX_LENGTH = 1_000;
const MAX_SIZE = 10_000;

/** A regular expression that takes time in proportion to the text, whatever the text. */
export interface Pattern {
  readonly program: RE2JS;
  /** Instructions: what one character of text may cost. */
  readonly size: number;
}

/** Compiles an RE2 pattern; the problem says why it is none. */
export function compilePattern(source: string): { pattern: Pattern } | { problem: string } {
  if (source.length > MAX_LENGTH) return { problem: `The pattern has more than ${MAX_LENGTH} characters.` };
  try {
    const program = RE2JS.compile(source);
    const size = program.programSize();
    if (size > MAX_SIZE) return { problem: "The pattern repeats too much." };
    return { pattern: { program, size } };
  } catch (error) {
    return { problem: `This is not an RE2 pattern: ${error instanceof Error ? error.message : String(error)}.` };
  }
}

export function isPattern(value: unknown): value is Pattern {
  return typeof value === "object" && value !== null && (value as Pattern).program instanceof RE2JS;
}
