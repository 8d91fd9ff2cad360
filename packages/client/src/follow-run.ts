import type { RunEvent } from "@flow-run/spec";
import { ApiError } from "./api-error.ts";
import { EventParser } from "./event-parser.ts";
import { pause } from "./pause.ts";
import { readProblem } from "./read-answer.ts";
import { TextPlaces } from "./text-places.ts";
import type { Transport } from "./transport.ts";

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 5_000;
/** A stream that has been silent for so long is dead: the server gives a sign of life every 15 s. */
const SILENT_MS = 60_000;

export interface FollowOptions {
  /** Id of the last event that was handled before; default: from the beginning. */
  lastEventId?: string;
  signal?: AbortSignal;
  /** How long the server may be away before this gives up. Default one minute. */
  unreachableMs?: number;
}

/**
 * The events of a run until it has ended. Connects again and resumes when the connection is lost: recorded steps are told exactly once and in order, text
 * goes on where it broke off. `step-started` and the text of steps that finished meanwhile may be missed.
 */
export async function* followRun(
  transport: Transport,
  runId: string,
  options: FollowOptions = {},
): AsyncGenerator<RunEvent, void, undefined> {
  const { signal, unreachableMs = 60_000 } = options;
  let lastEventId = options.lastEventId;
  let awaySince: number | null = null;
  let delayMs = FIRST_DELAY_MS;
  const texts = new TextPlaces();
  for (;;) {
    let lost: unknown;
    try {
      for await (const { id, data } of connection(transport, runId, lastEventId, signal)) {
        awaySince = null;
        delayMs = FIRST_DELAY_MS;
        lastEventId = id ?? lastEventId;
        if (data === null) continue;
        yield* texts.unread(data);
        if (data.type === "run-finished") return;
      }
      if (signal?.aborted) throw signal.reason;
      lost = new Error("the connection was closed");
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error === NOTHING_MORE) return;
      if (!(error instanceof ApiError) || !error.retryable) throw error;
      lost = error;
      delayMs = error.retryAfterMs ?? delayMs;
    }
    awaySince ??= Date.now();
    if (Date.now() - awaySince >= unreachableMs) throw lost instanceof ApiError ? lost : transport.unreachable(lost);
    await pause(Math.min(delayMs, LONGEST_DELAY_MS), signal);
    delayMs *= 2;
  }
}

/** Thrown when the last event was received before. */
const NOTHING_MORE = Symbol("nothing more");

interface Received {
  id: string | null;
  /** null: a sign of life. */
  data: RunEvent | null;
}

/** One connection, until it ends. */
async function* connection(
  transport: Transport,
  runId: string,
  lastEventId: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Received, void, undefined> {
  const silence = new AbortController();
  const headers: Record<string, string> = { accept: "text/event-stream" };
  if (lastEventId !== undefined) headers["last-event-id"] = lastEventId;
  const both = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
  let timer = setTimeout(() => silence.abort(), SILENT_MS);
  try {
    const path = `/v1/runs/${encodeURIComponent(runId)}/events`;
    const response = await transport.send({ method: "GET", path, headers, signal: both, repeatable: true });
    if (response.status === 204) throw NOTHING_MORE;
    if (!response.ok || response.body === null) throw await readProblem(response);
    const parser = new EventParser();
    const decoder = new TextDecoder();
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENT_MS);
      const events = parser.push(decoder.decode(chunk, { stream: true }));
      if (events.length === 0) yield { id: null, data: null };
      for (const event of events) yield { id: event.id, data: JSON.parse(event.data) as RunEvent };
    }
  } catch (error) {
    if (error === NOTHING_MORE || error instanceof ApiError || signal?.aborted) throw error;
    throw transport.unreachable(error);
  } finally {
    clearTimeout(timer);
    // Leaving the loop early must not leave the connection open.
    silence.abort();
  }
}
