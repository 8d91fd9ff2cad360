import type { Json, JsonObject, Step } from "@flow-run/spec";

/** A flow of the load: what is written, what it is given, and what its records must tell afterwards. */
export interface LoadFlow {
  /** How often it is drawn, beside the others. */
  weight: number;
  /** Input and steps. */
  yaml: string;
  output: string;
  input(text: string): JsonObject;
  /** Paths that must be on record when a run has succeeded. */
  paths(steps: ReadonlyMap<string, Step>): string[];
  /** What a succeeded run must have given, by its records. */
  result(out: (path: string) => Json): JsonObject;
}

const TEXT = "input: { text: string }";
const ask = (task: string, text: string) => `run: ask, with: { task: "${task}", text: "${text}" }`;
const THREE = `  - { id: first, ${ask("outline", "${{ input.text }}")} }
  - { id: second, ${ask("draft ${{ input.text }}", "${{ steps.first.output }}")} }
  - { id: third, ${ask("polish ${{ input.text }}", "${{ steps.second.output }}")} }`;
const plain = (text: string) => ({ text });

/** How many turns of a step are on record. */
function turns(steps: ReadonlyMap<string, Step>, id: string): string[] {
  return [...steps.keys()].filter((path) => path.startsWith(`${id}[`));
}

const score = (value: Json) => (value as { score: number } | null)?.score ?? null;

export const LOAD_FLOWS = {
  chain: {
    weight: 8,
    yaml: `${TEXT}\nsteps:\n${THREE}`,
    output: 'text: "${{ steps.third.output }}"',
    input: plain,
    paths: () => ["first", "second", "third"],
    result: (out) => ({ text: out("third") }),
  },
  fan: {
    weight: 4,
    yaml: `input: { text: string, parts(array): string }
steps:
  - parallel:
      - { id: left, ${ask("left", "${{ input.text }}")} }
      - { id: right, ${ask("right", "${{ input.text }}")} }
  - { id: each, forEach: "\${{ input.parts }}", as: part, concurrency: 2, ${ask("part of ${{ input.text }}", "${{ part }}")} }`,
    output: 'both: "${{ steps.left.output + steps.right.output }}", each: "${{ steps.each.output }}"',
    input: (text) => ({ text, parts: ["a", "b", "c"].map((part) => `${text} ${part}`) }),
    paths: () => ["left", "right", "each[0]", "each[1]", "each[2]"],
    result: (out) => ({ both: `${out("left")}${out("right")}`, each: [0, 1, 2].map((index) => out(`each[${index}]`)) }),
  },
  grade: {
    weight: 3,
    yaml: `${TEXT}
steps:
  - { id: mark, run: mark, with: { text: "\${{ input.text }}" }, retries: 4 }
  - { id: praise, if: "\${{ steps.mark.output.score >= 5 }}", ${ask("praise", "${{ input.text }}")} }`,
    output: 'score: "${{ steps.mark.output.score }}", praise: "${{ steps.praise.output }}"',
    input: plain,
    paths: () => ["mark", "praise"],
    result: (out) => ({ score: score(out("mark")), praise: out("praise") }),
  },
  improve: {
    weight: 2,
    yaml: `${TEXT}
steps:
  - id: better
    repeat: { until: "\${{ steps.better.output.score >= 7 }}", max: 3 }
    run: mark
    with: { text: "\${{ input.text + ' after ' + string(coalesce(steps.better.output.?score, -1)) }}" }
    retries: 4`,
    output: 'score: "${{ steps.better.output.score }}"',
    input: plain,
    paths: (steps) => turns(steps, "better"),
    result: (out) => ({ score: score([2, 1, 0].map((turn) => out(`better[${turn}]`)).find((value) => value !== null) ?? null) }),
  },
  nested: {
    weight: 3,
    yaml: `${TEXT}
steps:
  - { id: inner, run: chain, with: { text: "\${{ input.text }}" } }
  - { id: broken, ${ask("boom", "${{ input.text }}")}, onError: { ${ask("rescue", "${{ input.text }}")} } }
  - { id: gone, ${ask("boom again", "${{ input.text }}")}, onError: continue }`,
    output: 'text: "${{ steps.inner.output.text }}", rescued: "${{ steps.broken.output }}", gone: "${{ steps.gone.output }}"',
    input: plain,
    paths: () => ["inner.first", "inner.second", "inner.third", "inner", "broken", "broken.onError", "gone"],
    result: (out) => ({ text: out("inner.third"), rescued: out("broken.onError"), gone: null }),
  },
  pause: {
    weight: 2,
    yaml: `${TEXT}
steps:
  - { id: before, ${ask("before", "${{ input.text }}")} }
  - { id: rest, wait: { for: 6s } }
  - { id: after, ${ask("after", "${{ steps.before.output }}")} }`,
    output: 'text: "${{ steps.after.output }}"',
    input: plain,
    paths: () => ["before", "rest", "after"],
    result: (out) => ({ text: out("after") }),
  },
  approve: {
    weight: 2,
    yaml: `${TEXT}
steps:
  - { id: draft, ${ask("draft", "${{ input.text }}")} }
  - { id: approval, wait: { signal: approval, payload: { by: string }, timeout: 10m } }
  - { id: file, ${ask("file for ${{ steps.approval.output.by }}", "${{ steps.draft.output }}")} }`,
    output: 'by: "${{ steps.approval.output.by }}", text: "${{ steps.file.output }}"',
    input: plain,
    paths: () => ["draft", "approval", "file"],
    result: (out) => ({ by: (out("approval") as { by: string }).by, text: out("file") }),
  },
  post: {
    weight: 2,
    yaml: `${TEXT}
steps:
  - { id: words, ${ask("words", "${{ input.text }}")} }
  - id: send
    http: { url: "\${{ secrets.SINK_URL }}/note", body: { text: "\${{ steps.words.output }}", about: "\${{ input.text }}" }, output: { taken: string } }
    timeout: 5s
    retries: 6`,
    output: 'taken: "${{ steps.send.output.body.taken }}"',
    input: plain,
    paths: () => ["words", "send"],
    result: (out) => ({ taken: (out("send") as { body: { taken: string } }).body.taken }),
  },
} as const satisfies Record<string, LoadFlow>;

export type LoadFlowName = keyof typeof LOAD_FLOWS;
export const loadFlow = (name: string): LoadFlow | undefined => (LOAD_FLOWS as Record<string, LoadFlow>)[name];
