import type { Node } from "yaml";
import type { SourceReport, YamlEntry } from "../source-report.ts";

export const ACTIONS = ["run", "http", "wait", "set", "parallel"] as const;
export type Action = (typeof ACTIONS)[number];

/** Keys that say something only beside an action. */
const BESIDE: { [action in Action]: readonly string[] } = {
  run: ["with", "forEach", "as", "concurrency", "repeat", "timeout", "retries", "onError"],
  http: ["forEach", "as", "concurrency", "repeat", "timeout", "retries", "onError"],
  wait: ["forEach", "as", "concurrency", "repeat", "onError"],
  set: ["forEach", "as", "concurrency", "repeat", "onError"],
  parallel: [],
};
const ALWAYS = ["id", "description", "if"];

/** The entries of one step by key. */
export class StepKeys {
  readonly node: Node;
  readonly entries: ReadonlyMap<string, YamlEntry>;

  constructor(node: Node, report: SourceReport) {
    this.node = node;
    this.entries = new Map(report.entries(node).map((entry) => [entry.name, entry]));
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  get(name: string): YamlEntry | undefined {
    return this.entries.get(name);
  }

  value(name: string): Node | null {
    return this.entries.get(name)?.value ?? null;
  }

  /** Where to report something about the step as a whole. */
  get head(): Node {
    return this.entries.get("id")?.value ?? this.entries.values().next().value?.key ?? this.node;
  }
}

/** The one action of a step; reports none, several, and keys that do not go with it. */
export function actionOf(keys: StepKeys, report: SourceReport): Action | undefined {
  const found = ACTIONS.filter((action) => keys.has(action)).sort((a, b) => order(keys, a) - order(keys, b));
  const [action, ...others] = found;
  if (action === undefined) {
    report.report(
      "missing-field",
      "A step does one thing, and this one does nothing.",
      keys.head,
      `add ${ACTIONS.join(", ").replace(/, (\w+)$/, " or $1")}`,
    );
    return undefined;
  }
  for (const other of others) {
    report.report("not-together", `A step does one thing: "${action}" or "${other}", not both.`, keys.get(other)!.key, "make it two steps");
  }
  const allowed = new Set([...ALWAYS, ...found.flatMap((one) => [one, ...BESIDE[one]])]);
  for (const entry of keys.entries.values()) {
    if (allowed.has(entry.name)) continue;
    if (!Object.values(BESIDE).flat().includes(entry.name)) continue;
    const hint = hintFor(action, entry.name);
    report.report("not-together", `"${entry.name}" says nothing beside "${action}".`, entry.key, hint);
  }
  if (keys.has("forEach") && keys.has("repeat")) {
    const [first, second] = ["forEach", "repeat"].sort((a, b) => order(keys, a) - order(keys, b)) as [string, string];
    report.report(
      "not-together",
      `"${first}" and "${second}" cannot stand on one step.`,
      keys.get(second)!.key,
      "call a workflow that repeats",
    );
  }
  for (const name of ["as", "concurrency"]) {
    if (!keys.has(name) || keys.has("forEach") || !allowed.has(name)) continue;
    report.report("not-together", `"${name}" says nothing without "forEach".`, keys.get(name)!.key);
  }
  return action;
}

function order(keys: StepKeys, name: string): number {
  return [...keys.entries.keys()].indexOf(name);
}

function hintFor(action: Action, name: string): string | undefined {
  if (action === "wait" && name === "timeout") return "write wait: { signal: NAME, timeout: 24h }";
  if (action === "parallel") return `put "${name}" on the steps inside`;
  if (name === "with") return action === "http" ? 'write "body"' : '"with" goes with "run"';
  return undefined;
}
