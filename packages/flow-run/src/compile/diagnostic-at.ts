import { type Diagnostic, rangeOf, type Severity, suggest, type YamlSource } from "@flow-run/spec";

/** Where in a YAML document a diagnostic points: a path of keys and indexes, to the value unless `at` says `key`. */
export interface YamlPlace {
  source: YamlSource;
  path: readonly (string | number)[];
  at?: "key" | "value";
}

export function diagnosticAt(
  { source, path, at }: YamlPlace,
  severity: Severity,
  code: string,
  message: string,
  hint?: string,
): Diagnostic {
  return { code, severity, message, file: source.file.path, ...rangeOf(source, path, at), ...(hint === undefined ? {} : { hint }) };
}

/** `did you mean "x"?`, or the names there are, or what to do when there are none. */
export function nameHint(name: string, known: Iterable<string>, ifNone: string): string {
  const names = [...known];
  const near = suggest(name, names);
  if (near !== undefined) return `did you mean "${near}"?`;
  if (names.length === 0) return ifNone;
  return names.length > 10 ? ifNone : `there ${names.length === 1 ? "is" : "are"}: ${names.sort().join(", ")}`;
}
