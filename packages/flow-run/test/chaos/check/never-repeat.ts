import type { ChaosHistory } from "../history.ts";

/**
 * I3: one record for each step, and nothing is asked for a step after its record was committed.
 *
 * One thing no fence can hold back: a request that a former owner had announced before the step was recorded, and whose process was frozen, cut off or starved
 * at that very moment. It leaves when the process wakes. Such requests belong to an earlier epoch than the record, and are counted by `lateRequests`.
 */
export function* neverRepeat(history: ChaosHistory): Generator<string> {
  for (const [run, steps] of history.steps) {
    const paths = new Set<string>();
    for (const { path } of steps) {
      if (paths.has(path)) yield `never repeat: ${run} has two records of ${path}`;
      paths.add(path);
    }
  }
  for (const { run, path, attempt, excused } of late(history))
    if (!excused) yield `never repeat: ${attempt} asked for ${path} of ${run} after that was recorded`;
  yield* notesAfterRecord(history);
}

/** Requests of former owners that left too late to be held back. */
export function lateRequests(history: ChaosHistory): number {
  return [...late(history)].filter(({ excused }) => excused).length;
}

function* late({ story, requests }: ChaosHistory) {
  const announced = new Map(story.attempts.map((attempt) => [attempt.id, attempt]));
  const recorded = new Map(story.steps.map((step) => [`${step.run} ${step.path}`, step]));
  for (const request of requests) {
    const attempt = announced.get(request.attempt ?? "");
    const record = attempt && recorded.get(`${attempt.run} ${attempt.path}`);
    if (!attempt || !record || Date.parse(request.at) <= record.atMs) continue;
    const excused = attempt.epoch < record.epoch && attempt.atMs < record.atMs;
    yield { run: attempt.run, path: attempt.path, attempt: attempt.id, excused };
  }
}

/** What http steps sent: each carries the key by which its receiver tells repeats, and which it gave back. */
function* notesAfterRecord({ arrivals, steps, story }: ChaosHistory): Generator<string> {
  const records = new Map(story.steps.filter((step) => step.path === "send").map((step) => [step.run, step]));
  const takenOver = new Set(story.claims.filter((claim) => claim.epoch > 1).map((claim) => claim.run));
  const sentAt = Map.groupBy(arrivals, (arrival) => arrival.id);
  for (const [run, its] of steps) {
    const output = its.find((step) => step.path === "send")?.output as { body: { taken: string } } | null | undefined;
    if (!output) continue;
    const sent = sentAt.get(output.body.taken) ?? [];
    if (sent.length === 0) yield `never repeat: ${run} sent a note that did not arrive`;
    const isLate = sent.some((arrival) => arrival.atMs > records.get(run)!.atMs);
    if (isLate && !takenOver.has(run)) yield `never repeat: ${run} sent its note again after it was recorded`;
  }
}
