import type { Run, Step } from "@flow-run/spec";
import { loadFlow } from "../flows.ts";
import type { NumberedEvent } from "../follow-events.ts";
import type { ChaosHistory } from "../history.ts";

/** I7: a run's steps, events and result tell one story, without gaps, and the release it was accepted for is the one it ran on. */
export function* oneStory({ runs, steps, replayed, followed, releases }: ChaosHistory): Generator<string> {
  for (const run of runs.values()) {
    const its = steps.get(run.id) ?? [];
    const recorded = its.filter((step) => step.seq !== null).toSorted((a, b) => a.seq! - b.seq!);
    if (recorded.some((step, index) => step.seq !== index + 1)) yield `one story: the steps of ${run.id} are numbered with gaps`;
    if (run.status === "succeeded") yield* resultOf(run, recorded, releases.get(run.release));
    for (const [kind, events] of Object.entries({ replayed: replayed.get(run.id), followed: followed.get(run.id) }))
      if (events) yield* eventsOf(run, recorded, events, kind);
  }
}

function* resultOf(run: Run, recorded: readonly Step[], version: string | undefined): Generator<string> {
  const byPath = new Map(recorded.map((step) => [step.path, step]));
  const { version: said, ...output } = run.output as Record<string, unknown>;
  if (said !== version) yield `one story: ${run.id} of release ${run.release} (${version}) ran as ${said}`;
  const flow = loadFlow(run.flow);
  if (!flow) return;
  const missing = flow.paths(byPath).filter((path) => !byPath.has(path));
  if (missing.length > 0) yield `one story: ${run.id} (${run.flow}) succeeded without ${missing.join(", ")}`;
  const expected = flow.result((path) => byPath.get(path)?.output ?? null);
  if (!same(expected, output)) yield `one story: the output of ${run.id} (${run.flow}) is not what its steps recorded`;
}

function* eventsOf(run: Run, recorded: readonly Step[], events: readonly NumberedEvent[], kind: string): Generator<string> {
  if (events.some(({ id }, index) => id !== index + 1)) yield `one story: events of ${run.id} (${kind}) are ${events.map(({ id }) => id)}`;
  const ends = events.filter(({ event }) => event.type === "run-finished");
  const last = events.at(-1)?.event;
  if (ends.length !== 1 || last?.type !== "run-finished") yield `one story: events of ${run.id} (${kind}) do not end with the one end`;
  else if (!same([last.run.status, last.run.output, last.run.error], [run.status, run.output, run.error]))
    yield `one story: events of ${run.id} (${kind}) tell another end than the run`;
  if (events.length !== recorded.length + 1) yield `one story: ${events.length} events of ${run.id} (${kind}), ${recorded.length} steps`;
  for (const [index, { event }] of events.entries()) {
    const step = recorded[index];
    if (event.type === "step-finished" && step && !same([event.step.path, event.step.output], [step.path, step.output]))
      yield `one story: event ${index + 1} of ${run.id} (${kind}) is about ${event.step.path}, the step is ${step.path}`;
  }
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
