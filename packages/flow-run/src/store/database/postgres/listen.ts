import pg from "pg";
import { classifyError } from "../classify-error.ts";
import type { Subscription } from "../database.ts";

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;
const PROBE_EVERY_MS = 5000;

/**
 * Listens on a connection of its own and keeps doing so: a lost connection is replaced with growing pauses, and a silent one is found by a probe.
 * Rejects only when the first connection fails.
 */
export async function listen(
  config: pg.ClientConfig,
  channel: string,
  onPayload: (payload: string) => void,
  onReconnect: () => void,
  onConnectionLost: (error: Error) => void,
): Promise<Subscription> {
  let closed = false;
  let current: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;

  async function connect(): Promise<void> {
    const client = new pg.Client(config);
    current = client;
    client.on("error", onConnectionLost);
    client.on("notification", (message) => onPayload(message.payload ?? ""));
    try {
      await client.connect();
      await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      void client.end().catch(() => {});
      throw error;
    }
    if (closed) return void client.end().catch(() => {});
    failures = 0;
    client.once("end", () => {
      if (current === client) reconnectSoon();
    });
    probeSoon(client);
    onReconnect();
  }

  function reconnectSoon(): void {
    clearTimeout(timer);
    if (closed) return;
    const pause = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures++);
    timer = setTimeout(() => {
      connect().catch((error: Error) => {
        onConnectionLost(error);
        reconnectSoon();
      });
    }, pause);
  }

  // The client's query timeout destroys a connection that does not answer, which ends it and brings a new one.
  function probeSoon(client: pg.Client): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      client.query("SELECT 1").then(
        () => current === client && !closed && probeSoon(client),
        () => {},
      );
    }, PROBE_EVERY_MS);
    timer.unref();
  }

  try {
    await connect();
  } catch (error) {
    closed = true;
    throw classifyError(error);
  }
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await current?.end().catch(() => {});
    },
  };
}
