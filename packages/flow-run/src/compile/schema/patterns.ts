import { RE2JS } from "re2js";

/** A compiled pattern; `test` searches anywhere in the text, in time linear in its length. */
export interface Pattern {
  test(text: string): boolean;
}

/** Compiles a JSON Schema pattern. Throws when it is not one, or needs what a linear-time engine lacks (lookaround, back references). */
export function compilePattern(source: string): Pattern {
  const compiled = RE2JS.compile(RE2JS.translateRegExp(source));
  return { test: (text) => compiled.test(text) };
}
