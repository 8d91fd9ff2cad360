import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { ADMIN_KEY, codeOf, startRun, startServer, type TestServer } from "./test-server.ts";

async function makeKey(server: TestServer, scopes: string[], environment = "dev"): Promise<{ id: string; key: string }> {
  const { json } = await server.call("POST", "/v1/keys", { body: { name: scopes.join("-"), scopes }, environment });
  return json;
}

/** With node:http, because fetch does not let a caller choose its Host. */
function callAs(
  server: TestServer,
  headers: Record<string, string>,
  path = "/v1/runs",
  method = "GET",
): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const sent = request({ host: "127.0.0.1", port: server.port, path, method, headers, agent: false }, (response) => {
    let text = "";
    response.on("data", (chunk) => {
      text += String(chunk);
    });
    response.on("end", () => resolve({ status: response.statusCode!, text }));
  });
  sent.on("error", reject);
  sent.end();
  return promise;
}

describe("authentication", () => {
  test("every way to fail is the same 401, to the last byte", async () => {
    const server = await startServer();
    const revoked = await makeKey(server, ["admin"]);
    await server.call("DELETE", `/v1/keys/${revoked.id}`);
    const answers = await Promise.all([
      server.call("GET", "/v1/runs", { key: null }),
      server.call("GET", "/v1/runs", { key: "frk_wrong" }),
      server.call("GET", "/v1/runs", { key: revoked.key }),
      server.call("GET", "/v1/runs", { key: `${ADMIN_KEY}x` }),
      server.call("GET", "/v1/runs", { key: ADMIN_KEY.slice(0, -1) }),
      server.call("GET", "/v1/runs", { headers: { authorization: `Basic ${btoa(`admin:${ADMIN_KEY}`)}` } }),
      server.call("GET", "/v1/runs", { headers: { authorization: ADMIN_KEY } }),
      server.call("GET", "/v1/runs", { headers: { authorization: "Bearer" } }),
      server.call("POST", "/v1/keys", { key: "frk_wrong", body: { name: "x", scopes: ["admin"] } }),
      server.call("GET", `/v1/runs?api_key=${ADMIN_KEY}`, { key: null }),
    ]);
    expect(new Set(answers.map((answer) => `${answer.status} ${answer.text}`)).size).toBe(1);
    expect(codeOf(answers[0]!)).toBe("unauthorized");
    expect(answers[0]!.headers.get("www-authenticate")).toContain("Bearer");
  });

  test("a server without an admin key accepts none, not even an empty one", async () => {
    const server = await startServer({ adminKey: "" });
    for (const headers of [{ authorization: "Bearer " }, { authorization: "Bearer undefined" }]) {
      expect((await server.call("GET", "/v1/runs", { headers })).status).toBe(401);
    }
  });

  test("a key in the query string is refused even beside a good header", async () => {
    const server = await startServer();
    for (const query of [`api_key=${ADMIN_KEY}`, "access_token=x", "cursor=frk_abc"]) {
      const answer = await server.call("GET", `/v1/runs?${query}`);
      expect(`${query} ${answer.status} ${codeOf(answer)}`).toBe(`${query} 400 malformed-request`);
      expect(answer.text).not.toContain(ADMIN_KEY);
    }
  });

  test("while the database is away nobody is let in or turned away for good, but the admin", async () => {
    const server = await startServer();
    const { key } = await makeKey(server, ["read"]);
    server.store.goAway();
    expect(codeOf(await server.call("GET", "/v1/runs", { key }))).toBe("database-unavailable");
    expect(codeOf(await server.call("GET", "/v1/runs"))).toBe("database-unavailable");
    server.store.comeBack();
    expect((await server.call("GET", "/v1/runs", { key })).status).toBe(200);
  });
});

describe("a key of an environment", () => {
  test("is shown once, kept as a hash, and works in its environment only", async () => {
    const server = await startServer();
    const created = await server.call("POST", "/v1/keys", { body: { name: "ci", scopes: ["read", "read"] }, environment: "prod" });
    expect(created.status).toBe(201);
    expect(created.headers.get("cache-control")).toBe("no-store");
    expect(created.json.key).toMatch(/^frk_[\w-]{43}$/);
    expect(created.json).toMatchObject({ name: "ci", environment: "prod", scopes: ["read"], revokedAt: null });
    const listed = await server.call("GET", "/v1/keys", { environment: "prod" });
    expect(listed.json.keys).toMatchObject([{ id: created.json.id }]);
    expect(listed.text).not.toContain(created.json.key);
    expect((await server.call("GET", "/v1/runs", { key: created.json.key })).status).toBe(200);
    expect((await server.call("GET", "/v1/runs", { key: created.json.key, environment: "prod" })).status).toBe(200);
    const foreign = await server.call("GET", "/v1/runs", { key: created.json.key, environment: "dev" });
    expect(foreign.status).toBe(403);
    expect(codeOf(foreign)).toBe("environment-mismatch");
  });

  test("that was revoked is refused at once, and cannot be revoked from another environment", async () => {
    const server = await startServer();
    const { id, key } = await makeKey(server, ["read"]);
    expect(codeOf(await server.call("DELETE", `/v1/keys/${id}`, { environment: "prod" }))).toBe("key-not-found");
    expect((await server.call("GET", "/v1/runs", { key })).status).toBe(200);
    expect((await server.call("DELETE", `/v1/keys/${id}`)).status).toBe(204);
    expect((await server.call("GET", "/v1/runs", { key })).status).toBe(401);
    expect(codeOf(await server.call("DELETE", `/v1/keys/${id}`))).toBe("key-not-found");
  });

  test.each([
    [{ name: "", scopes: ["run"] }],
    [{ name: "x", scopes: [] }],
    [{ name: "x", scopes: ["root"] }],
    [{ name: "x", scopes: ["run"], environment: "prod" }],
    [undefined],
  ])("is not made from %j", async (body) => {
    const server = await startServer();
    expect(codeOf(await server.call("POST", "/v1/keys", { body }))).toBe("invalid-input");
  });

  const OPERATIONS: [method: string, path: string, scopes: string[]][] = [
    ["POST", "/v1/flows/echo/runs", ["run"]],
    ["GET", "/v1/runs/RUN", ["run", "read"]],
    ["GET", "/v1/runs/RUN/steps", ["run", "read"]],
    ["GET", "/v1/runs/RUN/events", ["run", "read"]],
    ["GET", "/v1/runs", ["read"]],
    ["POST", "/v1/runs/RUN/replay", ["run"]],
    ["POST", "/v1/runs/RUN/cancel", ["run"]],
    ["GET", "/v1/flows", ["run", "read", "deploy"]],
    ["GET", "/v1/flows/echo", ["run", "read", "deploy"]],
    ["GET", "/v1/releases", ["read", "deploy"]],
    ["GET", "/v1/releases/1", ["read", "deploy"]],
    ["POST", "/v1/releases", ["deploy"]],
    ["GET", "/v1/keys", []],
    ["POST", "/v1/keys", []],
    ["DELETE", "/v1/keys/key_none", []],
  ];

  test.each(OPERATIONS)("%s %s is open to the scopes it names and to admin, and closed to all others", async (method, path, allowed) => {
    const server = await startServer();
    for (const scope of ["run", "read", "deploy", "admin"]) {
      const run = await startRun(server);
      server.store.endRun(run);
      const { key } = await makeKey(server, [scope]);
      const answer = await server.call(method, path.replace("RUN", run), { key });
      const refused = answer.status === 403 && codeOf(answer) === "insufficient-scope";
      expect(`${scope}: ${refused}`).toBe(`${scope}: ${scope !== "admin" && !allowed.includes(scope)}`);
    }
  });
});

describe("the header x-flow-run-environment", () => {
  test("picks the environment of the admin key; dev without it", async () => {
    const server = await startServer();
    expect((await server.call("GET", "/v1/flows")).json.flows).toHaveLength(3);
    expect((await server.call("GET", "/v1/flows", { environment: "prod" })).json.flows).toEqual([]);
  });

  test.each(["", "a b", "../x", "x".repeat(65), "__proto__!"])("with %j names no environment", async (environment) => {
    const server = await startServer();
    expect(codeOf(await server.call("GET", "/v1/flows", { environment }))).toBe("malformed-request");
  });
});

describe("a server in dev", () => {
  const port = (server: TestServer) => server.port;

  test("lets callers on this machine do everything without a key", async () => {
    const server = await startServer({ dev: true, adminKey: undefined });
    for (const host of ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"]) {
      expect((await callAs(server, { host: `${host}:${port(server)}` })).status).toBe(200);
    }
    expect((await server.call("GET", "/v1/keys", { key: null, environment: "staging" })).json).toEqual({ keys: [], nextCursor: null });
  });

  test("refuses callers that a foreign page sends: another Host, another Origin", async () => {
    const server = await startServer({ dev: true });
    const host = `127.0.0.1:${port(server)}`;
    for (const headers of [
      { host: "evil.example" },
      { host: `evil.example:${port(server)}` },
      { host: "127.0.0.1.evil.example" },
      { host: "localhost.evil.example" },
      { host, origin: "https://evil.example" },
      { host, origin: "null" },
      { host, origin: "http://127.0.0.1:1" },
      { host, origin: `https://${host}` },
    ]) {
      const answer = await callAs(server, headers as unknown as Record<string, string>);
      expect(`${JSON.stringify(headers)} ${answer.status}`).toBe(`${JSON.stringify(headers)} 403`);
      expect(answer.text).toContain("problems/foreign-origin");
    }
    expect((await callAs(server, { host, origin: `http://${host}` })).status).toBe(200);
  });

  test("asks whoever comes through a proxy for a key", async () => {
    const server = await startServer({ dev: true });
    const host = `127.0.0.1:${port(server)}`;
    expect((await callAs(server, { host, "x-forwarded-for": "203.0.113.9" })).status).toBe(401);
    expect((await callAs(server, { host, "x-forwarded-for": "203.0.113.9", authorization: `Bearer ${ADMIN_KEY}` })).status).toBe(200);
  });

  test("does not let a wrong key pass for none", async () => {
    const server = await startServer({ dev: true });
    expect((await server.call("GET", "/v1/runs", { key: "frk_wrong" })).status).toBe(401);
  });
});

test("without dev a caller on this machine needs a key like any other", async () => {
  const server = await startServer();
  expect((await callAs(server, { host: "127.0.0.1" })).status).toBe(401);
});

test("a server that others can reach does not start without an admin key", async () => {
  const server = await startServer({ adminKey: undefined, dev: true });
  await expect(server.app.listen({ port: 0, host: "0.0.0.0" })).rejects.toMatchObject({ code: "admin-key-missing" });
});
