import { setTimeout as pause } from "node:timers/promises";
import type { RunEvent } from "@flow-run/spec";
import type { House } from "./house.ts";

/** An event that counts, with its id. */
export interface NumberedEvent {
  id: number;
  event: RunEvent;
}

/** Reads what counts of a run's events after `afterId`, until the last one, the stream's end or the signal. Rejects when the stream breaks. */
export async function* readEvents(
  url: string,
  adminKey: string,
  run: string,
  { afterId = 0, signal }: { afterId?: number; signal: AbortSignal },
): AsyncGenerator<NumberedEvent> {
  const response = await fetch(`${url}/v1/runs/${run}/events`, {
    headers: { authorization: `Bearer ${adminKey}`, ...(afterId > 0 ? { "last-event-id": String(afterId) } : {}) },
    signal,
  });
  if (!response.ok) throw new Error(`the events of ${run} were answered with ${response.status}`);
  let buffered = "";
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    buffered += text;
    for (let end = buffered.indexOf("\n\n"); end !== -1; end = buffered.indexOf("\n\n")) {
      const lines = buffered.slice(0, end).split("\n");
      buffered = buffered.slice(end + 2);
      const id = lines.find((line) => line.startsWith("id: "))?.slice(4);
      const data = lines.find((line) => line.startsWith("data: "))?.slice(6);
      if (id !== undefined && data !== undefined) yield { id: Number(id), event: JSON.parse(data) as RunEvent };
    }
  }
}

/** Follows a run to its end through broken connections and dead servers, resuming each time after the last event it has seen. */
export async function followRun(house: House, run: string, giveUpAt: () => number): Promise<NumberedEvent[]> {
  const seen: NumberedEvent[] = [];
  while (Date.now() < giveUpAt()) {
    const door = house.doors.find((slot) => slot.url !== null);
    // Also ends a stream whose server is frozen: a reader that hears no sign of life for so long goes elsewhere.
    const signal = AbortSignal.timeout(20_000);
    try {
      if (door) {
        for await (const numbered of readEvents(door.url!, house.adminKey, run, { afterId: seen.at(-1)?.id ?? 0, signal })) {
          seen.push(numbered);
          if (numbered.event.type === "run-finished") return seen;
        }
      }
    } catch {
      // Broken off; again.
    }
    await pause(200);
  }
  return seen;
}
