import net from "node:net";
import { text } from "node:stream/consumers";
import { inject } from "vitest";
import { createDatabase } from "./postgres-server.ts";

/** URL of the one PostgreSQL server of this test run; every call gives the same. Use `freshDatabase` unless the server itself is the subject. */
export async function sharedPostgres(): Promise<string> {
  const answer = JSON.parse(await text(net.connect(inject("postgresDesk"), "127.0.0.1"))) as { url?: string; error?: string };
  if (answer.url === undefined) throw new Error(answer.error);
  return answer.url;
}

/** URL of a new, empty PostgreSQL database. */
export async function freshDatabase(): Promise<string> {
  return createDatabase(await sharedPostgres());
}
