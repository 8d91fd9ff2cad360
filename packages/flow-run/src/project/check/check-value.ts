import { type Json, suggest, type YamlSource } from "@flow-run/spec";
import { isScalar } from "yaml";
import type { z } from "zod";
import { addAtPath, type Findings } from "../findings.ts";
import { expectedWords, issueHint, issueMessage } from "./issue-words.ts";
import { knownKeys } from "./known-keys.ts";

type Issue = z.core.$ZodIssue;
type Path = (string | number)[];

/** The value as the schema's type; undefined when it does not fit, and then every mistake is reported at its key or value. */
export function checkValue<Value>(
  schema: z.ZodType<Value>,
  source: YamlSource,
  value: Json,
  findings: Findings,
  within: Path = [],
): Value | undefined {
  const result = schema.safeParse(valueAt(value, within));
  if (result.success) return result.data;
  const check = new Check(schema, source, value, findings, within);
  check.issues(result.error.issues, []);
  return undefined;
}

class Check {
  private readonly schema: z.ZodType;
  private readonly source: YamlSource;
  private readonly root: Json;
  private readonly findings: Findings;
  private readonly within: Path;

  constructor(schema: z.ZodType, source: YamlSource, root: Json, findings: Findings, within: Path) {
    this.schema = schema;
    this.source = source;
    this.root = root;
    this.findings = findings;
    this.within = within;
  }

  issues(issues: readonly Issue[], base: Path): void {
    const meant = new Set<string>();
    for (const issue of issues) if (issue.code === "unrecognized_keys") this.unknownKeys(issue, base, meant);
    for (const issue of issues) {
      if (issue.code === "unrecognized_keys") continue;
      const path = [...base, ...(issue.path as Path)];
      if (issue.code === "invalid_union") this.union(issue, path);
      else if (issue.code === "custom" && meant.has(JSON.stringify(path))) continue;
      else if (issue.code === "invalid_key") this.add("invalid-name", path, "key", issue.issues[0]?.message ?? issue.message, "rename it");
      else if (this.isMissing(issue, path)) {
        if (!meant.has(JSON.stringify(path))) this.missing(path);
      } else this.invalid(issue, path);
    }
  }

  private unknownKeys(issue: z.core.$ZodIssueUnrecognizedKeys, base: Path, meant: Set<string>): void {
    const path = [...base, ...(issue.path as Path)];
    const known = knownKeys(this.schema, path);
    const present = this.valueAt(path);
    const free = known.filter((key) => typeof present !== "object" || present === null || !Object.hasOwn(present, key));
    for (const key of issue.keys) {
      const near = suggest(key, free) ?? SYNONYMS.get(key)?.find((synonym) => free.includes(synonym));
      // What a misspelt key makes missing, and rules on its whole map, are echoes of the one mistake.
      if (near !== undefined) meant.add(JSON.stringify([...path, near])).add(JSON.stringify(path));
      const hint = key === "<<" ? "merge keys are not supported: repeat the keys" : unknownHint(near, free, known);
      this.add("unknown-key", [...path, key], "key", `unknown key ${JSON.stringify(key)}`, hint);
    }
  }

  /** A union's mistakes are those of the one branch that fits the kind of value; else what its branches expect. */
  private union(issue: z.core.$ZodIssueInvalidUnion, path: Path): void {
    if (this.valueAt(path) === undefined) {
      this.missing(path);
      return;
    }
    if (issue.errors.length === 0) {
      const options = ("options" in issue && Array.isArray(issue.options) ? issue.options : []).map(String);
      const near = suggest(String(this.valueAt(path)), options);
      this.add(
        "invalid-value",
        path,
        "value",
        withName(path, `must be one of ${options.join(", ")}`),
        near === undefined ? undefined : `did you mean ${near}?`,
      );
      return;
    }
    const fitting = issue.errors.filter((branch) => !branch.some((inner) => inner.path.length === 0 && isKindIssue(inner)));
    if (fitting.length > 0) {
      this.issues(
        fitting.reduce((best, branch) => (severity(branch) < severity(best) ? branch : best)),
        path,
      );
      return;
    }
    const own = issue.errors.flat().filter((inner) => inner.path.length === 0);
    const words = [...new Set(own.map((inner) => expectedWords(inner)).filter((word) => word !== undefined))];
    const value = this.valueAt(path);
    const hint = own.map((inner) => this.hint(inner, value, path)).find((found) => found !== undefined);
    this.add(
      "invalid-value",
      path,
      "value",
      withName(path, words.length === 0 ? "is not allowed here" : `must be ${words.join(" or ")}`),
      hint,
    );
  }

  private invalid(issue: Issue, path: Path): void {
    const value = this.valueAt(path);
    this.add("invalid-value", path, "value", withName(path, issueMessage(issue, value)), this.hint(issue, value, path));
  }

  private missing(path: Path): void {
    this.add("missing-key", path.slice(0, -1), "key", `the key ${JSON.stringify(String(path.at(-1)))} is missing`);
  }

  private isMissing(issue: Issue, path: Path): boolean {
    return (issue.code === "invalid_type" || issue.code === "invalid_value") && path.length > 0 && this.valueAt(path) === undefined;
  }

  private hint(issue: Issue, value: Json | undefined, path: Path): string | undefined {
    if (issue.code === "invalid_value" && typeof value === "string") {
      const near = suggest(value, issue.values.map(String));
      if (near !== undefined) return `did you mean ${near}?`;
    }
    const node = this.source.document.getIn([...this.within, ...path], true);
    return issueHint(issue, value, isScalar(node) ? node.source : undefined);
  }

  private valueAt(path: Path): Json | undefined {
    return valueAt(this.root, [...this.within, ...path]);
  }

  private add(code: string, path: Path, at: "key" | "value", message: string, hint?: string): void {
    addAtPath(this.findings, this.source, [...this.within, ...path], at, { code, message, ...(hint === undefined ? {} : { hint }) });
  }
}

/** Words of neighbouring tools for keys of ours. */
const SYNONYMS: ReadonlyMap<string, readonly string[]> = new Map([
  ["parameters", ["input"]],
  ["inputs", ["input"]],
  ["outputs", ["output"]],
  ["args", ["with"]],
  ["loop", ["forEach", "repeat"]],
  ["uses", ["run"]],
  ["flow", ["run"]],
  ["prompt", ["run"]],
  ["task", ["run"]],
  ["retry", ["retries"]],
  ["max_tokens", ["maxOutputTokens"]],
  ["maxTokens", ["maxOutputTokens"]],
]);

function unknownHint(near: string | undefined, free: readonly string[], known: readonly string[]): string | undefined {
  if (near !== undefined) return `did you mean ${JSON.stringify(near)}?`;
  if (known.length === 0) return undefined;
  return free.length > 0 && free.length <= 12
    ? `the keys that may stand here are ${free.join(", ")}`
    : "remove it, or look at the format's reference";
}

function isKindIssue(issue: Issue): boolean {
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

/** A branch that names no unknown key is nearer to what was meant than one that lacks a key. */
function severity(branch: readonly Issue[]): number {
  return branch.reduce((sum, issue) => sum + (issue.code === "unrecognized_keys" ? issue.keys.length : 1), 0);
}

/** `timeout must be text`, `timeout: write a duration`; list items have no name. */
function withName(path: Path, message: string): string {
  const last = path.at(-1);
  if (typeof last !== "string") return message;
  return /^(must|is|are|has)\b/.test(message) ? `${last} ${message}` : `${last}: ${message}`;
}

function valueAt(root: Json, path: readonly PropertyKey[]): Json | undefined {
  let value: Json | undefined = root;
  for (const segment of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as { [key: PropertyKey]: Json })[segment as string];
  }
  return value;
}
