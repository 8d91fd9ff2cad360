import { describe, expect, it } from "vitest";
import { compileFiles } from "../../../test/support/compile-files.ts";
import type { Bundle } from "../../compile/index.ts";
import { planReplay } from "./plan-replay.ts";

const FLOWS = {
  "flow-run.yaml": "name: replays\nproviders: { sim: { type: simulator } }\nmodels: { default: sim/m }\n",
  "prompts/ask.prompt": "---\ninput: { schema: { text: string } }\n---\n{{text}}\n",
  "flows/inner.yaml": `input: { text: string }
steps:
  - { id: first, run: ask, with: { text: "\${{ input.text }}" } }
  - { id: second, run: ask, with: { text: "\${{ toJson(steps.first.output) }}" }, onError: continue }
  - { id: third, run: ask, with: { text: x } }
`,
  "flows/outer.yaml": `steps:
  - { id: start, run: ask, with: { text: a } }
  - id: facts
    forEach: [a, b, c]
    run: inner
    with: { text: "\${{ item }}" }
  - parallel:
      - { id: left, run: inner, with: { text: l } }
      - { id: right, run: ask, with: { text: r }, onError: { run: inner, with: { text: rescue } } }
  - { id: again, run: inner, with: { text: again }, retries: 1 }
  - { id: polish, repeat: { until: "\${{ false }}", max: 3 }, run: ask, with: { text: p } }
  - { id: last, set: { done: true } }
`,
};

const bundle = (await compileFiles(FLOWS)) as Bundle;

/** `recorded`: paths, with `:x` when the step failed and `:-` when it was skipped; what is in brackets was begun and not recorded. */
function plan(from: string, recorded: string, flows: Bundle["flows"] = bundle.flows, flow = "outer") {
  const words = recorded.split(" ").filter((word) => word !== "");
  const steps = words.flatMap((word) => {
    if (word.startsWith("(")) return [];
    const [path = "", mark] = word.split(":");
    return [{ path, status: mark === "x" ? ("failed" as const) : mark === "-" ? ("skipped" as const) : ("succeeded" as const) }];
  });
  const underWay = words.flatMap((word) => (word.startsWith("(") ? [word.slice(1, -1)] : []));
  return planReplay({ flows, flow, from, steps, underWay });
}

const copied = (from: string, recorded: string) => plan(from, recorded).copied.join(" ");
const refusal = (from: string, recorded = WHOLE) => {
  try {
    plan(from, recorded);
    return "planned";
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
};

const inner = (path: string) => `${path} ${path}.first ${path}.second ${path}.third`;
const FACTS = [0, 1, 2].map((index) => inner(`facts[${index}]`)).join(" ");
const WHOLE = `start ${FACTS} ${inner("left")} right ${inner("again")} polish[0] polish[1] polish[2] last`;

const set = (text: string) => text.split(" ").toSorted();

describe("a replay from a step takes over", () => {
  it("nothing from the first step", () => {
    expect(copied("start", WHOLE)).toBe("");
  });

  it("all steps before it, with what is inside them", () => {
    expect(set(copied("again", WHOLE))).toEqual(set(`start ${FACTS} ${inner("left")} right`));
    expect(set(copied("last", WHOLE))).toEqual(set(WHOLE.replace(" last", "")));
  });

  it("the other elements of a forEach, and none when it begins with the whole step", () => {
    expect(copied("facts", WHOLE)).toBe("start");
    expect(set(copied("facts[1]", WHOLE))).toEqual(set(`start ${inner("facts[0]")} ${inner("facts[2]")}`));
  });

  it("inside a called workflow what comes before, and the other elements", () => {
    expect(set(copied("facts[1].second", WHOLE))).toEqual(set(`start ${inner("facts[0]")} ${inner("facts[2]")} facts[1].first`));
  });

  it("the step beside it in a parallel block", () => {
    expect(set(copied("left", WHOLE))).toEqual(set(`start ${FACTS} right`));
    expect(set(copied("right", WHOLE))).toEqual(set(`start ${FACTS} ${inner("left")}`));
  });

  it("the turns of a repeat that came before it, and not those after", () => {
    const before = `start ${FACTS} ${inner("left")} right ${inner("again")}`;
    expect(set(copied("polish[1]", WHOLE))).toEqual(set(`${before} polish[0]`));
    expect(set(copied("polish", WHOLE))).toEqual(set(before));
  });

  it("failures that were dealt with, together with what dealt with them", () => {
    const rescued = `start ${FACTS} ${inner("left")} right:x ${inner("right.onError")} last`;
    expect(set(copied("last", rescued))).toEqual(set(`start ${FACTS} ${inner("left")} right ${inner("right.onError")}`));
    const continued = "start facts[0] facts[0].first facts[0].second:x facts[0].third last";
    expect(set(copied("last", continued))).toEqual(set("start facts[0] facts[0].first facts[0].second facts[0].third"));
  });

  it("the failure itself when it begins with the rescue, or inside it", () => {
    const before = `start ${FACTS} ${inner("left")}`;
    const failed = `${before} right:x right.onError:x right.onError.first right.onError.second right.onError.third:x`;
    expect(set(copied("right.onError", failed))).toEqual(set(`${before} right`));
    expect(set(copied("right.onError.third", failed))).toEqual(set(`${before} right right.onError.first right.onError.second`));
  });

  it("of a failed step beside it what had ended well inside it, so that nothing is asked again", () => {
    const failed = `start ${inner("facts[0]")} facts[1].first facts[1]:x facts[1].third:x facts[2].first`;
    expect(set(copied("facts[0]", failed))).toEqual(set("start facts[1].first facts[2].first"));
    const rescue = `start ${FACTS} left:x left.first:x right:x right.onError:x right.onError.first right.onError.second:x right.onError.third:x`;
    expect(set(copied("left", rescue))).toEqual(set(`start ${FACTS} right right.onError.first right.onError.second`));
  });

  it("nothing of a retry of the workflow that it begins inside of", () => {
    const retried = `start ${FACTS} ${inner("left")} right again.first again.second again.third:x again again.try[1].first again.try[1].second again.try[1].third`;
    expect(set(copied("again.third", retried))).toEqual(set(`start ${FACTS} ${inner("left")} right again.first again.second`));
    expect(set(copied("last", `${retried} polish[0] polish[1] polish[2] last`))).toContain("again.try[1].second");
  });

  it("nothing of a task, which is one step", () => {
    expect(plan("ask", "ask", bundle.flows, "ask")).toEqual({ copied: [], before: [], calls: "ask" });
  });
});

describe("a replay begins with", () => {
  it.each([
    ["a step that was skipped", "again", `start facts:- ${inner("left")} right again:- last`],
    ["a step that failed", "again", `start ${FACTS} ${inner("left")} right again.first:x again:x`],
    ["a step whose call was under way at the end", "facts[1].first", "start (facts[1].first)"],
    ["a step that left no trace, right after one that is done", "again", `start ${FACTS} ${inner("left")} right`],
    ["the first step of a run that did nothing", "start", ""],
    ["a step after elements that nobody has counted, when something of it is known", "left", `start ${FACTS} (left.first)`],
  ])("%s", (_, from, recorded) => {
    expect(refusal(from, recorded)).toBe("planned");
  });

  it.each([
    ["a step that comes later than the run came", "last", `start ${FACTS}`],
    ["a step after one that failed", "facts", "start:x"],
    ["an element that there was not", "facts[3]", WHOLE],
    ["a turn that there was not", "polish[3]", WHOLE],
    ["a rescue that nothing needed", "right.onError", WHOLE],
    ["a step inside one that did not begin", "again.second", `start ${FACTS} ${inner("left")} right again.first:x again:x`],
  ])("nothing else: %s", (_, from, recorded) => {
    expect(refusal(from, recorded)).toMatch(/^step-not-reached: The run never came to the step/);
  });

  it.each([
    "strat",
    "start.x",
    "start[0]",
    "facts.first",
    "facts[x]",
    "facts[01].x",
    "",
    ".",
    "start.",
    "[0]",
    "left.onError",
    "last.a",
    "facts[0].first.a",
    "__proto__",
    "constructor",
    "again.onError",
  ])("no step that the flow has not: %j", (from) => {
    expect(refusal(from)).toMatch(/^unknown-step: /);
  });

  it("no retry, and says with what instead", () => {
    expect(refusal("again.try[1].first")).toBe(
      'unknown-step: "again.try[1].first" belongs to a retry, and a replay begins with the first try; replay from again or from a step inside it',
    );
  });
});

describe("an input can be given to", () => {
  it.each([
    ["start", "ask"],
    ["facts[1]", "inner"],
    ["facts[1].first", "ask"],
    ["polish[2]", "ask"],
  ])("%s", (from, flow) => {
    expect(plan(from, WHOLE).calls).toBe(flow);
  });

  it("a rescue", () => {
    expect(plan("right.onError", `start ${FACTS} ${inner("left")} right:x right.onError:x`).calls).toBe("inner");
  });

  it.each(["facts", "polish", "last"])("not to %s, which calls no flow or many times", (from) => {
    expect(plan(from, WHOLE).calls).toBeNull();
  });
});

it("tells which steps stand before, and which shape their results have", async () => {
  const other = await compileFiles({
    ...FLOWS,
    "prompts/ask.prompt": "---\ninput: { schema: { text: string } }\noutput: { schema: { answer: string } }\n---\nother words: {{text}}\n",
  });
  const same = await compileFiles({
    ...FLOWS,
    "prompts/ask.prompt": "---\ninput: { schema: { text: string } }\n---\nother words: {{text}}\n",
  });
  const { before } = plan("left", WHOLE);
  expect(before.map((step) => step.path)).toEqual(["start", "facts", "right"]);
  expect(plan("left", WHOLE, same.flows).before).toEqual(before);
  expect(plan("left", WHOLE, other.flows).before).not.toEqual(before);
});

it("plans a hundred thousand elements in a moment", () => {
  const recorded = `start ${Array.from({ length: 100_000 }, (_, index) => `facts[${index}]`).join(" ")}`;
  expect(plan("facts[7]", recorded).copied).toHaveLength(100_000);
});
