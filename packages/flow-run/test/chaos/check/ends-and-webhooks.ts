import type { ChaosHistory } from "../history.ts";

const TERMINAL = new Set(["succeeded", "failed", "cancelled"]);

/** I5: an end is final, and who asked to be told of it is told, at least once and under one id. */
export function* endsAndWebhooks(history: ChaosHistory): Generator<string> {
  const { story, runs, accepted, deliveries, arrivals } = history;
  const ends = Map.groupBy(
    story.turns.filter((turn) => TERMINAL.has(turn.to)),
    (turn) => turn.run,
  );
  for (const run of runs.values()) {
    const its = ends.get(run.id) ?? [];
    if (run.finishedAt !== null && its.length !== 1) yield `end and webhook: ${run.id} ended ${its.length} times`;
    if (its.length === 1 && its[0]!.to !== run.status) yield `end and webhook: ${run.id} ended ${its[0]!.to} and is ${run.status}`;
  }
  for (const { run } of story.changedAfterEnd) yield `end and webhook: ${run} changed after its end`;

  const asked = new Set([...accepted.values()].filter(({ order }) => order.webhook).map(({ run }) => run));
  const announced = new Map(deliveries.map((delivery) => [delivery.run, delivery]));
  for (const run of asked) {
    const delivery = announced.get(run);
    if (!delivery) yield `end and webhook: the end of ${run} was not announced`;
    else if (delivery.status !== "delivered") yield `end and webhook: the message about ${run} is ${delivery.status}`;
  }
  for (const { run } of deliveries) if (!asked.has(run)) yield `end and webhook: nobody asked to be told of ${run}`;

  const taken = new Set<string>();
  const bodies = new Map<string, string>();
  for (const { id, body, treatment, atMs } of arrivals.filter((arrival) => arrival.path === "/hook")) {
    const message = JSON.parse(body) as { data: { id: string; status: string; usage: unknown; costUsd: unknown } };
    // What an attempt cost may become known after the end; a message that is repeated then says so.
    const { usage: _, costUsd: __, ...data } = message.data;
    const said = JSON.stringify({ ...message, data });
    if (id !== announced.get(data.id)?.id) yield `end and webhook: a message about ${data.id} came as ${id}`;
    if (data.status !== runs.get(data.id)?.status) yield `end and webhook: ${data.id} was announced as ${data.status}`;
    if ((bodies.get(id) ?? said) !== said) yield `end and webhook: ${id} came with two bodies`;
    bodies.set(id, said);
    // Commit times are exact to the microsecond, arrivals to the millisecond.
    if (atMs + 1 < (ends.get(data.id)?.[0]?.atMs ?? 0)) yield `end and webhook: ${id} came before its run had ended`;
    if (treatment === "taken") taken.add(data.id);
  }
  for (const run of asked) if (!taken.has(run)) yield `end and webhook: no message about ${run} arrived`;
}
