import net from "node:net";
import { text } from "node:stream/consumers";
import { inject } from "vitest";
import { createDatabase } from "./postgres-server.ts";

async function ask(wish: "postgres" | "template" | "program"): Promise<string> {
  const socket = net.connect(inject("testDesk"), "127.0.0.1");
  socket.write(wish);
  const { value, error } = JSON.parse(await text(socket)) as { value?: string; error?: string };
  if (value === undefined) throw new Error(error ?? `The test run offers no ${wish}.`);
  return value;
}

/** URL of the one PostgreSQL server of this test run. Use `freshPostgresUrl` unless the server itself is the subject. */
export const sharedPostgresUrl = (): Promise<string> => ask("postgres");

/** URL of a new, empty PostgreSQL database. */
export const freshPostgresUrl = async (): Promise<string> => createDatabase(await sharedPostgresUrl());

/** An empty embedded database as a template: opening with it takes a fraction of a second, without it some seconds. */
export const emptyTemplateFile = (): Promise<string> => ask("template");

/** The file of the program, built from the present sources. */
export const programFile = (): Promise<string> => ask("program");
