import type { Json, JsonSchema } from "@flow-run/spec";
import { isMap, isScalar, isSeq, type Node, YAMLMap } from "yaml";
import type { CompiledSchedule } from "../bundle.ts";
import { schemaType } from "../expression/schema-type.ts";
import { scopeOf } from "../expression/scope.ts";
import { splitTemplate } from "../expression/template.ts";
import { anyType } from "../expression/type.ts";
import { isTimezone, readCron, suggestTimezone } from "../schedule/index.ts";
import { compileValue } from "./compile-value.ts";
import type { YamlEntry } from "./source-report.ts";
import type { WorkflowContext } from "./workflow-context.ts";

const NOTHING_IN_SCOPE = scopeOf({ kind: "object", fields: new Map(), rest: "closed" });

/** `schedule: { cron, timezone, input }`: whether it ever comes due, and whether the runs it starts would be accepted. */
export function compileSchedule(
  entry: YamlEntry | undefined,
  input: JsonSchema | undefined,
  context: WorkflowContext,
): CompiledSchedule | undefined {
  if (entry === undefined) return undefined;
  const entries = new Map(context.report.entries(entry.value).map((each) => [each.name, each]));
  return {
    cron: compileCron(entries.get("cron"), context),
    timezone: compileTimezone(entries.get("timezone"), context),
    input: compileInput(entries.get("input"), input, entry, context),
  };
}

function compileCron(entry: YamlEntry | undefined, { report }: WorkflowContext): string {
  const cron = textOf(entry);
  const reading = readCron(cron);
  if ("problem" in reading) report.report("bad-cron", reading.problem, entry!.value ?? entry!.key, reading.hint);
  return cron.trim();
}

function compileTimezone(entry: YamlEntry | undefined, { report }: WorkflowContext): string {
  if (entry === undefined) return "UTC";
  const timezone = textOf(entry);
  if (!isTimezone(timezone)) {
    const near = suggestTimezone(timezone);
    const hint = near === undefined ? "write a name of the IANA database, such as Europe/Berlin, or UTC" : `did you mean "${near}"?`;
    report.report("unknown-timezone", `There is no time zone "${timezone}".`, entry.value ?? entry.key, hint);
  }
  return timezone;
}

function compileInput(entry: YamlEntry | undefined, schema: JsonSchema | undefined, owner: YamlEntry, context: WorkflowContext): Json {
  const { report } = context;
  const node = entry === undefined ? new YAMLMap() : entry.value;
  if (node !== null && reportExpressions(node, context)) return {};
  const wanted = schema === undefined ? anyType : schemaType(schema, "write");
  const before = report.diagnostics.length;
  const { value } = compileValue(node, wanted, NOTHING_IN_SCOPE, context, (entry ?? owner).key);
  const literal = "literal" in value ? value.literal : {};
  if (schema === undefined || report.diagnostics.length > before) return literal;
  // What types do not tell: lengths, ranges, patterns, formats.
  const { value: filled, errors } = context.validate(schema, literal);
  for (const { pointer, message } of errors) {
    const path = pointer.split("/").slice(1);
    const at = entry === undefined ? owner.key : report.nodeAt(entry.value ?? entry.key, path.map(unescaped));
    report.report("invalid-value", `The runs' input would be refused: ${path.at(-1) ?? "it"} ${message}.`, at);
  }
  return filled;
}

/** True when there was one. */
function reportExpressions(node: Node, context: WorkflowContext): boolean {
  const { report } = context;
  if (isMap(node))
    return report
      .entries(node)
      .map(({ value }) => value !== null && reportExpressions(value, context))
      .includes(true);
  if (isSeq(node))
    return report
      .items(node)
      .map((item) => item !== null && reportExpressions(item, context))
      .includes(true);
  if (!isScalar(node) || typeof node.value !== "string") return false;
  const { parts, unclosed } = splitTemplate(node.value);
  if (unclosed === undefined && !parts.some((part) => part.kind === "expression")) return false;
  report.report(
    "not-available-here",
    "The input of a schedule is written out: there is no run yet in which an expression could be evaluated.",
    node,
    'begin the workflow with a `set` step that computes it, or write "$${{" for the characters themselves',
  );
  return true;
}

function textOf(entry: YamlEntry | undefined): string {
  return isScalar(entry?.value) ? String(entry.value.value) : "";
}

/** A segment of a JSON Pointer as a name. */
function unescaped(segment: string): string {
  return segment.replaceAll("~1", "/").replaceAll("~0", "~");
}
