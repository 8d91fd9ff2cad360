import type { Run, Step, WebhookDelivery } from "@flow-run/spec";
import type { Client } from "./client.ts";
import { type NumberedEvent, readEvents } from "./follow-events.ts";
import type { House } from "./house.ts";

const AT_A_TIME = 16;

/** All runs or deliveries, page by page. */
export async function listAll<T>(client: Client, route: string, field: string): Promise<T[]> {
  const all: T[] = [];
  for (let cursor = ""; ; ) {
    const page = await client.read<{ nextCursor: string | null } & Record<string, T[]>>(
      `${route}${route.includes("?") ? "&" : "?"}limit=200${cursor}`,
    );
    all.push(...(page[field] as T[]));
    if (page.nextCursor === null) return all;
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
  }
}

export interface Read {
  listed: Run[];
  runs: Map<string, Run>;
  steps: Map<string, Step[]>;
  replayed: Map<string, NumberedEvent[]>;
  deliveries: WebhookDelivery[];
}

/** Reads back everything that was promised, as any caller could, and the events of one run in `everyNth` from their beginning. */
export async function readBack(house: House, client: Client, ids: readonly string[], everyNth: number): Promise<Read> {
  const read: Read = {
    listed: await listAll<Run>(client, "/v1/runs", "runs"),
    runs: new Map(),
    steps: new Map(),
    replayed: new Map(),
    deliveries: await listAll<WebhookDelivery>(client, "/v1/webhooks/deliveries", "deliveries"),
  };
  await inParallel(ids, async (id, index) => {
    const run = await client.read<Run>(`/v1/runs/${id}`).catch(() => null);
    if (run === null) return;
    read.runs.set(id, run);
    read.steps.set(id, (await client.read<{ steps: Step[] }>(`/v1/runs/${id}/steps`)).steps);
    if (index % everyNth === 0 && run.finishedAt !== null) read.replayed.set(id, await replayEvents(house, id, index));
  });
  return read;
}

/** All events of an ended run: from the beginning, or in two parts, the second with `Last-Event-ID`. */
async function replayEvents(house: House, run: string, index: number): Promise<NumberedEvent[]> {
  const door = house.doors[index % house.doors.length]!;
  const events: NumberedEvent[] = [];
  const signal = () => AbortSignal.timeout(20_000);
  const breaksAt = index % 2 === 0 ? 2 : Number.POSITIVE_INFINITY;
  for await (const numbered of readEvents(door.url!, house.adminKey, run, { signal: signal() })) {
    events.push(numbered);
    if (events.length >= breaksAt) break;
  }
  if (events.at(-1)?.event.type === "run-finished") return events;
  const afterId = events.at(-1)?.id ?? 0;
  for await (const numbered of readEvents(door.url!, house.adminKey, run, { afterId, signal: signal() })) events.push(numbered);
  return events;
}

async function inParallel<T>(items: readonly T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < items.length; index = next++) await work(items[index]!, index);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
}
