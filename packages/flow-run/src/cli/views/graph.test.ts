import { stripVTControlCharacters, styleText } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileFiles } from "../../../test/support/compile-files.ts";
import { type FlowGraph, flowGraph, type StepNode } from "../graph/flow-graph.ts";
import type { Terminal } from "../terminal.ts";
import { displayWidth } from "./display-width.ts";
import { graphMermaid } from "./graph-mermaid.ts";
import { graphTree } from "./graph-tree.ts";

const FILES = {
  "flow-run.yaml": `name: g
providers: { sim: { type: simulator }, other: { type: simulator } }
models: { default: sim/small, fast: { use: sim/quick, fallback: [other/slow] } }
environments: { prod: { models: { default: other/large } } }
`,
  "prompts/ask.prompt": "---\nmodel: fast\ninput: { schema: { q: string } }\n---\n{{q}}",
  "prompts/sort.prompt":
    "---\nmodel: sim/exact\ndescription: Sorts\ninput: { schema: { t: string } }\noutput: { schema: { kind(enum): [a, b], parts(array): string } }\n---\n{{t}}",
  "prompts/polish.prompt": "---\ninput: { schema: { q: string } }\noutput: { schema: { score: number } }\n---\n{{q}}",
  "flows/inner.yaml": `input: { q: string }
steps:
  - { id: a, run: ask, with: { q: "\${{ input.q }}" } }
  - { id: pause, wait: { for: 1h30m } }
limits: { tokens: 1000 }
`,
  "flows/whole.yaml": `description: All there is
input: { t: string }
schedule: { cron: "0 9 * * *", timezone: Europe/Berlin, input: { t: daily } }
steps:
  - { id: sort, run: sort, with: { t: "\${{ input.t }}" } }
  - { id: each, forEach: "\${{ steps.sort.output.parts }}", as: part, concurrency: 5, run: ask, with: { q: "\${{ part }}" } }
  - if: "\${{ input.t != 'x' }}"
    parallel:
      - { id: left, run: ask, with: { q: "\${{ input.t }}" } }
      - { id: right, run: inner, with: { q: "\${{ input.t }}" } }
  - parallel:
      - { id: again, run: inner, with: { q: x } }
      - { id: maybe, if: "\${{ steps.sort.output.kind == 'a' }}", set: { one: 1, two: "\${{ input.t }}" } }
  - id: polish
    repeat: { until: "\${{ steps.polish.output.score >= 8 }}", max: 3, exhausted: fail }
    run: polish
    with: { q: "\${{ input.t }}" }
    timeout: 60s
    retries: 1
    onError: { run: polish, with: { q: "x" } }
  - { id: approval, wait: { signal: ok, timeout: 24h } }
  - { id: file, http: { method: POST, url: "https://crm.example.com/\${{ input.t }}", body: {} }, onError: continue }
output: { score: "\${{ steps.polish.output.score }}" }
limits: { costUsd: 0.05, duration: 10m }
`,
};

const terminal = (columns: number | null, color = false): Terminal => ({
  out: () => {},
  err: () => {},
  outText: () => {},
  json: () => {},
  style: (format, text) => (color ? styleText(format, text, { validateStream: false }) : text),
  outIsTerminal: columns !== null,
  errIsTerminal: false,
  columns: columns ?? 80,
});
const NOW = Date.parse("2026-11-22T12:00:00Z");

describe("a flow as a tree", () => {
  it("shows its steps with what they call, when and how often, and unfolds workflows where they are met first", async () => {
    const graph = flowGraph(await compileFiles(FILES), "whole", "local");
    expect(`\n${graphTree(graph, NOW, terminal(null))}`).toBe(`
whole  workflow  flows/whole.yaml
│  All there is
│  schedule 0 9 * * * (Europe/Berlin), next 2026-11-23T08:00:00Z, with {"t":"daily"}
│  limits   $0.05 · 10m
│  input    { t: string }
├─ sort  task sort
│     model sim/exact
├─ each  task ask
│     model fast → sim/quick, else other/slow
│     for each part of steps.sort.output.parts, 5 at a time
├─ parallel
│  │  if input.t != 'x'
│  ├─ left  task ask
│  │     model fast → sim/quick, else other/slow
│  └─ right  workflow inner
│     │  limits 1000 tokens
│     ├─ a  task ask
│     │     model fast → sim/quick, else other/slow
│     └─ pause  waits for 1h30m
├─ parallel
│  ├─ again  workflow inner (steps above)
│  └─ maybe  set one, two
│        if steps.sort.output.kind == 'a'
├─ polish  task polish
│  │  model default → sim/small
│  │  again until steps.polish.output.score >= 8, at most 3 times, else it fails
│  │  timeout 1m · 1 retry
│  └─ on error  task polish
│        model default → sim/small
├─ approval  waits for the signal ok, at most 1d
├─ file  POST https://crm.example.com/\${{ input.t }}
│     goes on after an error
└─ output  { score: number }
`);
  });

  it("shows a prompt with its model, and the models of an environment", async () => {
    const bundle = await compileFiles(FILES);
    expect(graphTree(flowGraph(bundle, "sort", "local"), NOW, terminal(null))).toBe(
      `sort  task  prompts/sort.prompt\n│  Sorts\n│  model    sim/exact\n│  input    { t: string }\n└─ output  { kind: "a" | "b", parts: list<string> }\n`,
    );
    expect(graphTree(flowGraph(bundle, "whole", "prod"), NOW, terminal(null))).toContain("model default → other/large");
  });

  it("fits the width of a terminal, in colour too, and in a pipe is as wide as it is", async () => {
    const graph = flowGraph(await compileFiles(FILES), "whole", "local");
    for (const color of [false, true]) {
      const lines = graphTree(graph, NOW, terminal(44, color)).split("\n");
      expect(lines.filter((line) => displayWidth(line) > 44)).toEqual([]);
      expect(lines.some((line) => line !== stripVTControlCharacters(line))).toBe(color);
    }
  });

  it("shows commands to a terminal in names and texts, and obeys none", () => {
    const hostile = "\u001b[31mred\u001b]52;c;AAAA\u0007 \u202eturned\nnext";
    const graph = graphOf(
      [{ id: "a", kind: "set", set: [hostile], if: hostile, forEach: { items: hostile, as: "x", concurrency: 1 } }],
      hostile,
    );
    const text = graphTree(graph, NOW, terminal(60));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text).toContain("\\u001b[31mred");
  });
});

/** A workflow of these steps, which call each other's names only. */
function graphOf(steps: StepNode[], description: string | null = null): FlowGraph {
  const flow = { name: "flow", kind: "workflow" as const, description, file: "flows/flow.yaml", input: true, output: true, steps };
  return { flow: "flow", flows: { flow } };
}

const LABEL = String.raw`(?:[\p{L}\p{M}\p{N} ,.…→·�_-]|#\d+;|<br>)*`;
const NODE = new RegExp(String.raw`^ +(n\d+)(\(\[|\[\[|\(\(|\{\{|\[/|\(|\{|\[)"${LABEL}"(\]\)|\]\]|\)\)|\}\}|/\]|\)|\}|\])$`, "u");
const EDGE = new RegExp(String.raw`^ +(n\d+) (?:-->|-\.->|-\.-)(?:\|"${LABEL}"\|)? (n\d+|flow\d+)$`, "u");
const SUBGRAPH = new RegExp(String.raw`^ +subgraph (flow\d+)\["${LABEL}"\]$`, "u");
const CLOSING: Record<string, string> = { "([": "])", "[[": "]]", "((": "))", "{{": "}}", "[/": "/]", "(": ")", "{": "}", "[": "]" };

/** Reads a flowchart by a grammar that is narrower than Mermaid's; throws at the first line that does not fit. */
function readChart(text: string): { nodes: Map<string, string>; edges: [from: string, to: string, line: string][] } {
  const [head, ...lines] = text.trimEnd().split("\n");
  expect(head).toBe("flowchart TD");
  const nodes = new Map<string, string>();
  const edges: [string, string, string][] = [];
  let open = 0;
  for (const line of lines) {
    const [, node, opening, closing] = NODE.exec(line) ?? [];
    const [, from, to] = EDGE.exec(line) ?? [];
    const [, subgraph] = SUBGRAPH.exec(line) ?? [];
    if (node) {
      expect(CLOSING[opening!], line).toBe(closing);
      nodes.set(node, line);
    } else if (from) edges.push([from, to!, line]);
    else if (subgraph) {
      nodes.set(subgraph, line);
      open++;
    } else {
      expect(line.trim()).toBe("end");
      open--;
    }
  }
  expect(open).toBe(0);
  for (const [from, to] of edges) expect([nodes.has(from), nodes.has(to)]).toEqual([true, true]);
  return { nodes, edges };
}

/** What Mermaid shows of a quoted label. */
const decoded = (line: string) => /"(.*)"/u.exec(line)![1]!.replaceAll(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));

describe("a flow as a Mermaid flowchart", () => {
  it("has a node for each step and edges for order, conditions, branches, turns, errors and called workflows", async () => {
    const { nodes, edges } = readChart(graphMermaid(flowGraph(await compileFiles(FILES), "whole", "local")));
    const idOf = (beginning: string) => [...nodes].find(([, line]) => decoded(line).startsWith(beginning))![0];
    const has = (from: string, to: string, label?: string) =>
      edges.some(([a, b, line]) => a === idOf(from) && b === idOf(to) && (label === undefined || decoded(line).startsWith(label)));
    expect(
      has("whole<br>input { t: string }<br>schedule 0 9 * * * (Europe/Berlin)<br>limits $0.05 · 10m", "sort<br>task sort<br>sim/exact"),
    ).toBe(true);
    expect(has("each<br>", "each<br>", "for each part of steps.sort.output.parts, 5 at a time")).toBe(true);
    expect(has("each<br>", "input.t != 'x'")).toBe(true);
    expect([has("input.t != 'x'", "left<br>", "yes"), has("input.t != 'x'", "right<br>", "yes")]).toEqual([true, true]);
    // Three ways in and two ways on meet in one point.
    expect([has("left<br>", " "), has("right<br>", " "), has("input.t != 'x'", " ", "no"), has(" ", "again<br>")]).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([has("right<br>", "inner", "steps"), has("again<br>", "inner", "steps")]).toEqual([true, true]);
    expect(has("polish<br>", "polish<br>", "again until steps.polish.output.score >= 8, at most 3 times, else it fails")).toBe(true);
    expect([has("polish<br>", "task polish", "on error"), has("task polish", "approval<br>")]).toEqual([true, true]);
    expect(has("file<br>POST https://crm.example.com/${{ input.t }}", "output { score: number }")).toBe(true);
    const reached = new Set([...nodes.keys()].slice(0, 1));
    for (const [from, to] of [...edges, ...edges, ...edges]) if (reached.has(from)) reached.add(to);
    const own = [...nodes.keys()].slice(0, [...nodes.keys()].indexOf("flow1"));
    expect(own.filter((id) => !reached.has(id))).toEqual([]);
  });

  it("lets no text end its label or be anything but text", () => {
    const nasty = fc.constantFrom(
      '"',
      "]",
      "}}",
      "|",
      "`",
      "#",
      ";",
      "<script>",
      "&lt;",
      "%%",
      "\n",
      "end",
      "style a:#1;",
      "\\",
      "\u001b[31m",
      "\u202e",
      "\ud800",
      "é",
      "語",
      "👍",
    );
    const text = fc.array(fc.oneof(nasty, fc.string({ unit: "binary", maxLength: 4 })), { maxLength: 8 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, text, (one, two) => {
        const steps: StepNode[] = [
          { id: "a", kind: "http", request: { method: "GET", url: one }, if: two },
          { id: "b", kind: "set", set: [two], repeat: { until: one, max: 2, exhausted: "last" } },
        ];
        const { nodes } = readChart(graphMermaid(graphOf(steps)));
        const harmless = `GET ${one}`
          .toWellFormed()
          .replaceAll(/\s+/g, " ")
          .replaceAll(/\p{Cc}|\p{Cf}/gu, "�");
        expect(decoded([...nodes.values()].find((line) => line.includes("GET"))!)).toBe(`a<br>${harmless}`);
      }),
      { numRuns: 100 },
    );
  });

  it("cuts long texts", () => {
    const chart = graphMermaid(graphOf([{ id: "a", kind: "set", set: ["x".repeat(1_000)] }]));
    expect(Math.max(...chart.split("\n").map((line) => line.length))).toBeLessThan(200);
  });
});
