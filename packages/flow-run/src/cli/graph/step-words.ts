import type { FlowNode, StepNode } from "./flow-graph.ts";

/** What a step does, in a few words: `task answer`, `POST https://…`, `waits for the signal approval`. */
export function actionWords(step: StepNode, flows: { [name: string]: FlowNode }): string {
  if (step.flow !== undefined) return `${flows[step.flow]?.kind ?? "flow"} ${step.flow}`;
  if (step.request !== undefined) return `${step.request.method} ${step.request.url}`;
  if (step.set !== undefined) return `set ${step.set.join(", ") || "{}"}`;
  if (step.wait !== undefined) {
    const { signal, timeoutMs, forMs } = step.wait;
    if (signal === undefined) return `waits for ${written(forMs ?? 0)}`;
    return `waits for the signal ${signal}${timeoutMs === undefined ? "" : `, at most ${written(timeoutMs)}`}`;
  }
  return "parallel";
}

export function forEachWords({ as, items, concurrency }: NonNullable<StepNode["forEach"]>): string {
  return `for each ${as} of ${items}, ${concurrency === 1 ? "one after the other" : `${concurrency} at a time`}`;
}

export function repeatWords({ until, max, exhausted }: NonNullable<StepNode["repeat"]>): string {
  return `again until ${until}, at most ${max} times${exhausted === "fail" ? ", else it fails" : ""}`;
}

/** What is done against failures. A flow that is called after them is a step of its own kind, and not named here. */
export function careWords({ timeoutMs, retries, onError }: StepNode): string[] {
  return [
    ...(timeoutMs === undefined ? [] : [`timeout ${written(timeoutMs)}`]),
    ...(retries === undefined ? [] : [`${retries} ${retries === 1 ? "retry" : "retries"}`]),
    ...(onError === "continue" ? ["goes on after an error"] : []),
  ];
}

export function limitWords(limits: NonNullable<FlowNode["limits"]>): string {
  const { costUsd, durationMs, tokens, concurrency } = limits;
  return [
    ...(costUsd === undefined ? [] : [`$${costUsd}`]),
    ...(durationMs === undefined ? [] : [written(durationMs)]),
    ...(tokens === undefined ? [] : [`${tokens} tokens`]),
    ...(concurrency === undefined ? [] : [`${concurrency} ${concurrency === 1 ? "run" : "runs"} at a time`]),
  ].join(" · ");
}

export function modelWords({ name, targets }: NonNullable<FlowNode["model"]>): string {
  const [first, ...fallbacks] = targets;
  const target = first === name ? "" : ` → ${first}`;
  return `${name}${target}${fallbacks.length === 0 ? "" : `, else ${fallbacks.join(", else ")}`}`;
}

const UNITS: [name: string, ms: number][] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
];

/** A duration as authors write it: `24h`, `1h30m`. */
function written(ms: number): string {
  let left = ms;
  const parts = UNITS.map(([name, unit]) => {
    const count = Math.floor(left / unit);
    left -= count * unit;
    return count === 0 ? "" : `${count}${name}`;
  });
  return parts.join("") || "0s";
}
