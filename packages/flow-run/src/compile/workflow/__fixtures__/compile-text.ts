import { type Definition, type Diagnostic, type Json, type WorkflowDefinition, workflowSchema } from "@flow-run/spec";
import { LineCounter, parseDocument } from "yaml";
import { toJsonSchema } from "../../schema/index.ts";
import { compileWorkflows } from "../compile-workflows.ts";
import type { FlowSignature } from "../flow-signature.ts";

/** A definition as the project reader hands it over; the text must be valid by the workflow's schema. */
export function definitionOf(name: string, text: string): Definition<WorkflowDefinition> {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  if (document.errors.length > 0) throw document.errors[0];
  const value = workflowSchema.parse(document.toJS());
  return { kind: "workflow", name, source: { file: { path: `flows/${name}.yaml`, text }, document, lineCounter, start: 0 }, value };
}

const signature = (input: Json | undefined, output: Json): FlowSignature => ({
  ...(input === undefined ? {} : { input: toJsonSchema(input) }),
  output: toJsonSchema(output),
});

/** The flows that the table of workflows calls. */
export const FLOWS: ReadonlyMap<string, FlowSignature> = new Map([
  ["tone", signature({ text: "string" }, { type: "string" })],
  ["polish", signature({ text: "string" }, { text: "string", score: "number" })],
  ["count", signature({ n: "integer", "label?": "string", "level(enum)": ["low", "high"] }, { ok: "boolean" })],
  ["draft", signature({ ticket: "string", "facts(array)": { answer: "string", "source?": "string" } }, { reply: "string" })],
  ["free", { output: true }],
]);

/** Compiles workflows given by name and text. */
export function compileTexts(texts: { [name: string]: string }) {
  const workflows = Object.entries(texts).map(([name, text]) => definitionOf(name, text));
  return compileWorkflows({ workflows, flows: FLOWS, toJsonSchema });
}

/** What is written where a diagnostic points. */
export function textAt(text: string, { line, column, endLine, endColumn }: Diagnostic): string {
  const lines = text.split("\n");
  if (endLine === line || endLine === undefined) return lines[line - 1]!.slice(column - 1, (endColumn ?? column) - 1);
  return [lines[line - 1]!.slice(column - 1), ...lines.slice(line, endLine - 1), lines[endLine - 1]!.slice(0, endColumn! - 1)].join("\n");
}
