import type { ChaosHistory } from "../history.ts";

/** I1: each 202 names a run that can be read; one run for each key, and no run without one. */
export function* acceptOnce({ accepted, complaints, listed, runs }: ChaosHistory): Generator<string> {
  yield* complaints;
  const promised = new Map<string, string>();
  for (const { key, run, release } of accepted.values()) {
    const found = runs.get(run);
    if (found === undefined) yield `accept once: ${run} was promised for ${key} and cannot be read`;
    else if (found.release !== release) yield `accept once: ${run} was accepted for release ${release} and has ${found.release}`;
    const other = promised.get(run);
    if (other !== undefined) yield `accept once: ${run} answers for ${other} and ${key}`;
    promised.set(run, key);
  }
  const seen = new Set<string>();
  for (const { id } of listed) {
    if (seen.has(id)) yield `accept once: ${id} is listed twice`;
    seen.add(id);
    if (!promised.has(id)) yield `accept once: ${id} exists although every key has another run`;
  }
  for (const id of promised.keys()) if (!seen.has(id)) yield `accept once: ${id} was promised and is not listed`;
}
