import type { JsonSchema, PartialSource, PromptSource } from "@flow-run/spec";
import fc from "fast-check";
import Handlebars from "handlebars";
import { expect, test } from "vitest";
import { Document, LineCounter } from "yaml";
import { PromptPartials } from "./prompt-partials.ts";

const TEXT = { type: "string" } as const;
const ORDER = {
  type: "object",
  properties: {
    id: TEXT,
    name: TEXT,
    lines: { type: "array", items: { type: "object", properties: { id: TEXT, tags: { type: "array", items: TEXT } } } },
  },
};
const SCHEMA: JsonSchema = {
  type: "object",
  properties: {
    name: TEXT,
    customer: { type: "object", properties: { order: ORDER, other: ORDER } },
    orders: { type: "array", items: ORDER },
    tags: { type: "array", items: TEXT },
  },
};

// Everything that the schema allows is there, and every list filled, so that each block is rendered.
const line = () => ({ id: "l", tags: ["t", "u"] });
const order = () => ({ id: "o", name: "n", lines: [line(), line()] });
const input = () => ({ name: "N", customer: { order: order(), other: order() }, orders: [order(), order()], tags: ["x", "y"] });

const NAMES = ["name", "customer", "order", "orders", "lines", "id", "tags", "nmae", "b"];
/** Paths that are right somewhere, and paths of any names. */
const path = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "name",
      "id",
      "../name",
      "../id",
      "b.id",
      "b.lines",
      "lines",
      "orders",
      "tags",
      "customer.order",
      "@root.name",
      "@root.orders",
      "@root.customer.other",
      "customer",
      "orders.0.lines",
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom("", "../", "../../", "this.", "@root.", "b."),
        fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }),
      )
      .map(([prefix, parts]) => prefix + parts.join(".")),
  },
);

const { template } = fc.letrec<{ template: string; statement: string }>((tie) => ({
  template: fc.array(tie("statement"), { minLength: 1, maxLength: 2 }).map((parts) => parts.join("")),
  statement: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    path.map((name) => `{{${name}}}`),
    path.map((name) => `{{json ${name}}}`),
    fc.tuple(path, tie("template")).map(([name, body]) => `{{#each ${name}}}${body}{{/each}}`),
    fc.tuple(path, tie("template")).map(([name, body]) => `{{#each ${name} as |b|}}${body}{{/each}}`),
    fc.tuple(path, tie("template")).map(([name, body]) => `{{#with ${name}}}${body}{{/with}}`),
    fc.tuple(path, tie("template")).map(([name, body]) => `{{#if ${name}}}${body}{{/if}}`),
    path.map((name) => `{{> card b=${name}}}`),
    path.map((name) => `{{> card ${name}}}`),
    fc.constant("{{> card}}"),
  ),
}));

const CARD = "{{name}}{{#each lines}}{{id}}{{/each}}";

function problemsOf(body: string): string[] {
  const file = { path: "prompts/p.prompt", text: body };
  const source = { file, document: new Document({}), lineCounter: new LineCounter(), start: 0 };
  const prompt: PromptSource = { kind: "prompt", name: "p", value: {}, source, body, bodyStart: 0 };
  const card: PartialSource = { name: "card", file: { path: "prompts/_card.prompt", text: CARD } };
  const { diagnostics } = new PromptPartials([card], new Set()).check(prompt, SCHEMA);
  return diagnostics.filter(({ severity }) => severity === "error").map(({ code, message }) => `${code} ${message}`);
}

/** A value that says so when a name is read that it does not have. */
function watched(value: unknown, onMissing: () => void): unknown {
  const children = (from: object) => Object.entries(from).map(([key, item]) => [key, watched(item, onMissing)] as const);
  const target = Array.isArray(value)
    ? value.map((item) => watched(item, onMissing))
    : typeof value === "object"
      ? Object.fromEntries(children(value as object))
      : { [Symbol.toPrimitive]: () => value };
  return new Proxy(target as object, {
    get(object, key, receiver) {
      if (typeof key === "string" && !(key in object)) onMissing();
      return Reflect.get(object, key, receiver);
    },
  });
}

/** Whether rendering reads only what is there. */
function findsEverything(body: string): boolean {
  let missing = 0;
  const onMissing = () => {
    missing += 1;
  };
  const environment = Handlebars.create();
  environment.registerHelper("json", () => "");
  const card = environment.compile(CARD, { noEscape: true });
  // Arguments are laid over a copy of the context, which must be watched anew.
  environment.registerPartial("card", (context: object, options) => {
    const copy = { ...context };
    return card(
      new Proxy(copy, {
        get: (object, key, receiver) => (typeof key === "string" && !(key in object) ? onMissing() : Reflect.get(object, key, receiver)),
      }),
      options,
    );
  });
  environment.compile(body, { noEscape: true })(watched(input(), onMissing));
  return missing === 0;
}

test("the check reports exactly the templates that read what is not there", () => {
  let right = 0;
  let wrong = 0;
  fc.assert(
    fc.property(template, (body) => {
      const problems = problemsOf(body);
      // Those read nothing at all.
      fc.pre(!problems.some((problem) => problem.includes("leads out of") || problem.startsWith("type-mismatch")));
      if (problems.length === 0) right += 1;
      else wrong += 1;
      expect({ body, problems, finds: findsEverything(body) }).toMatchObject({ finds: problems.length === 0 });
    }),
    { numRuns: 800 },
  );
  expect(right).toBeGreaterThan(30);
  expect(wrong).toBeGreaterThan(30);
}, 60_000);
