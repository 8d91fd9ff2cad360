import type { JsonSchema } from "@flow-run/spec";
import { expect, test } from "vitest";
import { codeOf, startRun, startServer } from "./test-server.ts";

const SCHEMA: JsonSchema = {
  type: "object",
  properties: { ok: { type: "boolean" }, by: { type: "string", default: "nobody" } },
  required: ["ok"],
  additionalProperties: false,
};

async function waiting(payloadSchema: JsonSchema | null = SCHEMA) {
  const server = await startServer();
  const id = await startRun(server);
  server.store.waits.set(id, [
    { name: "approval", path: "approval", payloadSchema },
    { name: "go", path: "inner.go", payloadSchema: null },
  ]);
  return { server, id, send: (name: string, body?: unknown) => server.call("POST", `/v1/runs/${id}/signals/${name}`, { body }) };
}

test("a signal reaches the wait of its name, with the schema's defaults", async () => {
  const { server, id, send } = await waiting();
  const answer = await send("approval", { ok: true });
  expect([answer.status, answer.json.id]).toEqual([200, id]);
  expect(server.store.delivered).toEqual([{ id, path: "approval", payload: { ok: true, by: "nobody" } }]);
});

test("a payload is any JSON where the step has no schema, and null without a body", async () => {
  const { server, id, send } = await waiting(null);
  expect((await send("approval", [1, "two"])).status).toBe(200);
  expect((await send("go")).status).toBe(200);
  expect(server.store.delivered).toEqual([
    { id, path: "approval", payload: [1, "two"] },
    { id, path: "inner.go", payload: null },
  ]);
});

test("a payload that does not fit is refused with the places of its mistakes, and the run waits on", async () => {
  const { server, send } = await waiting();
  const answer = await send("approval", { ok: "yes", extra: 1 });
  expect([answer.status, codeOf(answer)]).toEqual([422, "invalid-input"]);
  expect(answer.json.errors.map((error: { pointer: string }) => error.pointer)).toContain("/ok");
  expect(server.store.delivered).toEqual([]);
  expect((await send("approval", { ok: true })).status).toBe(200);
});

test("a signal that nobody waits for is refused with the names that are waited for", async () => {
  const { send } = await waiting();
  const answer = await send("aproval", { ok: true });
  expect([answer.status, codeOf(answer)]).toEqual([409, "not-waiting"]);
  expect(answer.json.detail).toContain("It waits for: approval, go.");
});

test("a second signal, and one to a run that has ended, are refused", async () => {
  const { server, id, send } = await waiting();
  expect((await send("approval", { ok: true })).status).toBe(200);
  expect(codeOf(await send("approval", { ok: true }))).toBe("not-waiting");
  server.store.waits.delete(id);
  server.store.endRun(id);
  const answer = await send("go");
  expect([answer.status, codeOf(answer)]).toEqual([409, "not-waiting"]);
  expect(answer.json.detail).toContain("ended (succeeded)");
});

test("a run of nobody, or of another environment, is not found", async () => {
  const { server, id, send } = await waiting();
  for (const answer of [
    await server.call("POST", "/v1/runs/run_00000000000000000000000000/signals/approval", { body: {} }),
    await server.call("POST", "/v1/runs/x/signals/approval", { body: {} }),
    await server.call("POST", `/v1/runs/${id}/signals/approval`, { body: { ok: true }, environment: "prod" }),
  ]) {
    expect([answer.status, codeOf(answer)]).toEqual([404, "run-not-found"]);
  }
  expect((await send("approval", { ok: true })).status).toBe(200);
});
