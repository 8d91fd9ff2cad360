import type { JsonSchema } from "@flow-run/spec";
import { schemaType } from "../schema-type.ts";
import { type Scope, scopeOf } from "../scope.ts";
import { anyType, type Field, integerType, mapOf, type ObjectType, stringType, timestampType, type Type } from "../type.ts";
import { nullable } from "../type-view.ts";

/** The scope that the table of expressions is written for: types and values. */
export const inputSchema: JsonSchema = {
  type: "object",
  properties: {
    ticket: { type: "string" },
    tone: { type: ["string", "null"] },
    n: { type: "integer" },
    price: { type: "number" },
    vip: { type: "boolean" },
    limit: { type: "integer", default: 5 },
    tags: { type: "array", items: { type: "string" } },
    orders: {
      type: "array",
      items: {
        type: "object",
        properties: { id: { type: "string" }, total: { type: "number" }, note: { type: "string" } },
        required: ["id", "total"],
      },
    },
    meta: { type: "object" },
    labels: { type: "object", additionalProperties: { type: "string" } },
    tree: { $ref: "#/$defs/node" },
    either: { anyOf: [{ type: "string" }, { type: "number" }] },
  },
  required: ["ticket", "n", "price", "vip", "tags", "orders", "meta", "labels", "tree"],
  $defs: {
    node: {
      type: "object",
      properties: { name: { type: "string" }, children: { type: "array", items: { $ref: "#/$defs/node" } } },
      required: ["name", "children"],
    },
  },
};

const triage: JsonSchema = {
  type: "object",
  properties: {
    category: { enum: ["billing", "bug", "other"] },
    urgent: { type: "boolean" },
    questions: { type: "array", items: { type: "string" } },
    score: { type: "number" },
  },
  required: ["category", "urgent", "questions", "score"],
};
const fact: JsonSchema = {
  type: "object",
  properties: { answer: { type: "string" }, source: { type: ["string", "null"] } },
  required: ["answer"],
};
const draft: JsonSchema = { type: "object", properties: { reply: { type: "string" } }, required: ["reply"] };

function object(fields: { [name: string]: Type }, more: Partial<ObjectType> = {}): ObjectType {
  const entries = Object.entries(fields).map(([name, type]): [string, Field] => [name, { type, optional: false }]);
  return { kind: "object", fields: new Map(entries), rest: "closed", ...more };
}

const outputs: { [id: string]: Type } = {
  triage: schemaType(triage, "read"),
  facts: schemaType({ type: "array", items: fact }, "read"),
  draft: nullable(schemaType(draft, "read")),
  page: anyType,
  tone: stringType,
};

export function tableScope(): Scope {
  const steps = object(Object.fromEntries(Object.entries(outputs).map(([id, output]) => [id, object({ output })])), {
    noun: "step",
    absent: new Map([
      ["send", 'The step "send" comes later (line 40).'],
      ["sibling", 'The step "sibling" runs at the same time as this one.'],
    ]),
  });
  const run = object({ id: stringType, flow: stringType, environment: stringType, startedAt: timestampType });
  const variables = {
    input: schemaType(inputSchema, "read"),
    steps,
    item: schemaType(fact, "read"),
    index: integerType,
    run,
    vars: { ...(mapOf(stringType) as ObjectType), collected: "vars" as const },
  };
  return scopeOf(object(variables, { noun: "variable", absent: new Map([["secrets", "Only http steps see secrets."]]) }));
}

export function tableValues() {
  return {
    input: {
      ticket: "Refund?",
      n: 3,
      price: 9.5,
      vip: true,
      limit: 5,
      tags: ["a", "b"],
      orders: [
        { id: "o1", total: 10, note: "x" },
        { id: "o2", total: 2.5 },
      ],
      meta: { k: 1 },
      labels: { a: "A" },
      tree: { name: "root", children: [{ name: "leaf", children: [] }] },
    },
    steps: {
      triage: { output: { category: "bug", urgent: false, questions: ["why?"], score: 0.5 } },
      facts: { output: [{ answer: "yes", source: null }, { answer: "no" }] },
      draft: { output: null },
      page: { output: { title: "T" } },
      tone: { output: "calm" },
    },
    item: { answer: "yes" },
    index: 0,
    run: { id: "run_1", flow: "reply", environment: "dev", startedAt: new Date("2026-01-02T03:04:05.000Z") },
    vars: { REGION: "eu" },
  };
}
