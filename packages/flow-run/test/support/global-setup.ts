import { once } from "node:events";
import net from "node:net";
import type { TestProject } from "vitest/node";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Port of the desk that hands out the URL of the run's PostgreSQL server. */
    postgresDesk: number;
  }
}

/** One PostgreSQL server for the whole run, started when the first test asks for it, so that runs without a database pay nothing. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let server: Promise<PostgresServer> | undefined;
  const desk = net.createServer((socket) => {
    server ??= startPostgres();
    socket.on("error", () => {});
    server.then(
      ({ url }) => socket.end(JSON.stringify({ url })),
      (error) => socket.end(JSON.stringify({ error: String(error) })),
    );
  });
  desk.listen(0, "127.0.0.1");
  await once(desk, "listening");
  project.provide("postgresDesk", (desk.address() as net.AddressInfo).port);
  return async () => {
    desk.close();
    await (await server?.catch(() => undefined))?.stop();
  };
}
