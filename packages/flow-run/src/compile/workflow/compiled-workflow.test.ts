import { expect, test } from "vitest";
import type { CompiledStep } from "../bundle.ts";
import { prepareValue } from "../expression/evaluate.ts";
import { compileTexts } from "./__fixtures__/compile-text.ts";

function compile(text: string) {
  const result = compileTexts({ main: text });
  expect(result.diagnostics).toEqual([]);
  return { ...result, main: result.workflows.get("main")! };
}

test("all kinds of steps are compiled with their defaults", () => {
  const { main } = compile(`description: All of them
input: { ticket: string, on: boolean }
steps:
  - id: a
    if: "\${{ input.on }}"
    run: tone
    with: { text: "Hi \${{ input.ticket }}", }
    timeout: 1m30s
    retries: 2
    onError: { run: free }
  - parallel:
      - { id: b, forEach: "\${{ [input.ticket] }}", run: free, with: { x: "\${{ item }}" }, concurrency: 3, onError: continue }
      - { id: c, forEach: [1, 2], as: n, set: { n: "\${{ n + 1 }}" } }
  - { id: d, repeat: { until: "\${{ steps.d.output.score > 1 }}", max: 3, exhausted: fail }, run: polish, with: { text: x } }
  - { id: e, repeat: { until: true, max: 2 }, http: { url: "https://example.com/\${{ input.ticket }}", body: { a: 1 } } }
  - { id: f, http: { url: "https://example.com", method: PUT, headers: { x: "\${{ secrets.K }}" }, output: { ok: boolean } } }
  - { id: g, wait: { signal: go, payload: { by: string }, timeout: 24h } }
  - { id: h, wait: { for: 10m } }
limits: { costUsd: 0.05, duration: 10m, tokens: 1000 }
`);
  const at = (line: number, column: number) => ({ file: "flows/main.yaml", line, column });
  const expression = (source: string, line: number, column: number) => ({ expression: { source, at: at(line, column) } });
  const plain = { retries: 0, onError: "fail" };
  const [a, block, d, e, f, g, h] = main.steps;
  expect(a).toEqual({
    id: "a",
    at: at(4, 9),
    kind: "run",
    flow: "tone",
    if: expression("input.on", 5, 14),
    with: { map: [["text", { parts: ["Hi ", { source: "input.ticket", at: at(7, 27) }] }]] },
    timeoutMs: 90_000,
    retries: 2,
    onError: { run: "free", with: { literal: {} } },
  });
  const steps = (block as Extract<CompiledStep, { kind: "parallel" }>).steps;
  expect(block).toMatchObject({ kind: "parallel", at: at(11, 5) });
  expect(steps[0]).toMatchObject({ id: "b", forEach: { as: "item", concurrency: 3 }, onError: "continue", kind: "run" });
  expect(steps[1]).toMatchObject({ id: "c", forEach: { items: { literal: [1, 2] }, as: "n", concurrency: 10 }, kind: "set" });
  expect(d).toMatchObject({ repeat: { max: 3, exhausted: "fail" } });
  expect(e).toMatchObject({
    kind: "http",
    method: "POST",
    body: { literal: { a: 1 } },
    repeat: { until: { literal: true }, exhausted: "last" },
  });
  expect(f).toMatchObject({ kind: "http", method: "PUT", output: { type: "object" }, ...plain });
  expect(g).toEqual({
    id: "g",
    at: at(17, 11),
    ...plain,
    kind: "wait",
    signal: { name: "go", payload: expect.anything(), timeoutMs: 86_400_000 },
  });
  expect(h).toEqual({ id: "h", at: at(18, 11), ...plain, kind: "wait", forMs: 600_000 });
  expect(main).toMatchObject({
    kind: "workflow",
    name: "main",
    description: "All of them",
    file: "flows/main.yaml",
    outputSchema: { type: "null" },
    limits: { costNanoUsd: 50_000_000, durationMs: 600_000, tokens: 1000 },
  });
  expect(main.output).toBeUndefined();
});

test("names of variables and secrets are collected over all workflows", () => {
  const first = 'steps:\n  - { id: a, set: { r: "${{ vars.REGION }}" } }\n';
  const second = 'steps:\n  - { id: a, http: { url: "${{ vars.BASE }}", headers: { k: "${{ secrets.K2 }} ${{ secrets.K1 }}" } } }\n';
  const { variables, secrets } = compileTexts({ first, second });
  expect([variables, secrets]).toEqual([
    ["BASE", "REGION"],
    ["K1", "K2"],
  ]);
});

test("the output's schema says what the types tell", () => {
  const { main } = compile(`input: { ticket: string, tone?: string, kind(enum): [a, b] }
steps:
  - { id: a, if: "\${{ input.kind == 'a' }}", run: polish, with: { text: x } }
output:
  text: fixed
  tone: "\${{ input.?tone }}"
  kind: "\${{ input.kind }}"
  first: "\${{ steps.a.output }}"
  at: "\${{ run.startedAt }}"
`);
  expect(main.outputSchema).toEqual({
    type: "object",
    properties: {
      text: { type: "string" },
      tone: { type: ["string", "null"] },
      kind: { type: "string", enum: ["a", "b"] },
      first: {
        type: ["object", "null"],
        properties: { text: { type: "string" }, score: { type: "number" } },
        required: ["text", "score"],
        additionalProperties: false,
      },
      at: { type: "string" },
    },
    required: ["text", "kind", "first", "at"],
    additionalProperties: false,
  });
  const output = prepareValue(main.output!)({
    input: { ticket: "x", kind: "b" },
    steps: { a: { output: null } },
    run: { startedAt: new Date(0) },
  });
  expect(output).toEqual({ text: "fixed", kind: "b", first: null, at: "1970-01-01T00:00:00.000Z" });
});

test("an output that holds itself keeps its references", () => {
  const { main } = compile(`input:
  type: object
  properties: { tree: { $ref: "#/$defs/node" } }
  required: [tree]
  $defs: { node: { type: object, properties: { name: { type: string }, children: { type: array, items: { $ref: "#/$defs/node" } } } } }
steps:
  - { id: a, set: { tree: "\${{ input.tree }}" } }
`);
  expect(main.outputSchema).toEqual({
    type: "object",
    properties: { tree: { $ref: "#/$defs/type1" } },
    required: ["tree"],
    additionalProperties: false,
    $defs: {
      type1: { type: "object", properties: { name: { type: "string" }, children: { type: "array", items: { $ref: "#/$defs/type1" } } } },
    },
  });
});

test("without output a workflow gives what its last step gives", () => {
  expect(compile("steps:\n  - { id: a, run: tone, with: { text: x } }\n").main.outputSchema).toEqual({ type: "string" });
  const maybe = 'input: { on: boolean }\nsteps:\n  - { id: a, if: "${{ input.on }}", run: tone, with: { text: x } }\n';
  expect(compile(maybe).main.outputSchema).toEqual({ type: ["string", "null"] });
});

test("values named like parts of every object are plain values", () => {
  const { main } = compile(`steps:
  - { id: a, set: { toString: 1, __proto__: 2, constructor: "\${{ vars.X }}" } }
output: { __proto__: "\${{ steps.a.output['__proto__'] }}", to: "\${{ steps.a.output.toString }}" }
`);
  const [step] = main.steps as [Extract<CompiledStep, { kind: "set" }>];
  const output = prepareValue(step.set)({ vars: { X: "x" } });
  expect(JSON.stringify(output)).toBe('{"toString":1,"__proto__":2,"constructor":"x"}');
  expect(JSON.stringify(prepareValue(main.output!)({ steps: { a: { output } } }))).toBe('{"__proto__":2,"to":1}');
});

test("places stay right where text is escaped or folded", () => {
  const { main } = compile(`input: { a: string }
steps:
  - id: x
    set:
      one: "\\x41 \\"q\\" \${{ input.a + \\"!\\" + input.a }}"
      two: >-
        some text
        \${{ input.a +
        input.a }}
`);
  const [step] = main.steps as [Extract<CompiledStep, { kind: "set" }>];
  const entries = "map" in step.set ? new Map(step.set.map) : new Map();
  expect(entries.get("one")).toEqual({
    parts: [
      'A "q" ',
      {
        source: 'input.a + "!" + input.a',
        at: { file: "flows/main.yaml", line: 5, column: 28 },
        jumps: [
          [11, 5, 40],
          [13, 5, 43],
        ],
      },
    ],
  });
  expect(entries.get("two").parts[1].jumps).toEqual([[9, 9, 8]]);
});
