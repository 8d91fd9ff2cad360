import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openPostgres } from "../../src/store/database/index.ts";
import { openStore, type Store } from "../../src/store/index.ts";
import { type FaultyProxy, startFaultyProxy } from "../support/faulty-proxy.ts";
import { freshPostgresUrl } from "../support/shared-databases.ts";
import { EventReader } from "./event-reader.ts";
import { codeOf, startRun, startServer } from "./test-server.ts";

let proxy: FaultyProxy;
let database: Database;
let store: Store;

beforeAll(async () => {
  proxy = await startFaultyProxy(await freshPostgresUrl());
  database = await openPostgres({ connectionString: proxy.url, connectTimeoutMs: 500 });
  store = await openStore({ database, submitTimeoutMs: 500 });
});
afterAll(async () => {
  proxy.heal();
  await store?.close();
  await database?.close();
  await proxy?.close();
});

test("while PostgreSQL is away the server says so, and forgets nothing", async () => {
  const server = await startServer({ store });
  const id = await startRun(server);
  const reader = new EventReader(server.port, id);
  await reader.opened();
  const waiting = server.call("GET", `/v1/runs/${id}?wait=60`);
  await expect.poll(async () => (await server.call("GET", "/metrics")).text).toContain("flowrun_waiting_requests 1\n");

  proxy.partition();
  const refused = await server.call("POST", "/v1/flows/echo/runs", { headers: { "idempotency-key": "k" } });
  expect(codeOf(refused)).toBe("database-unavailable");
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  const ready = await server.call("GET", "/readyz");
  expect(ready.status).toBe(503);
  expect(ready.json.reasons).toHaveLength(1);
  expect((await server.call("GET", "/healthz")).status).toBe(200);
  expect(refused.text + ready.text).not.toMatch(/postgres:|127\.0\.0\.1|ECONN|\.ts/);
  expect(server.log()).toContain("127.0.0.1");

  proxy.heal();
  await expect.poll(async () => (await server.call("GET", "/readyz")).status, { timeout: 15_000 }).toBe(200);
  const accepted = await server.call("POST", "/v1/flows/echo/runs", { headers: { "idempotency-key": "k" } });
  expect(accepted.status).toBe(202);
  expect((await server.call("POST", `/v1/runs/${id}/cancel`)).status).toBe(200);
  expect((await waiting).json.status).toBe("cancelled");
  expect((await reader.event(0)).event).toBe("run-finished");
});
