import { readdirSync, readFileSync } from "node:fs";
import { PROBLEMS } from "@flow-run/spec";
import { expect, test } from "vitest";
import { createValidators } from "../../src/compile/index.ts";
import { ADMIN_KEY, startServer } from "./test-server.ts";

const ROUTES = new URL("../../src/server/routes/", import.meta.url);

/** Documents of the API itself, which describe the others. */
const UNDOCUMENTED = ["get /openapi.json", "get /docs"];

/** Method and path of every route, as the source of the routes has them. */
function routesInSource(): string[] {
  return readdirSync(ROUTES)
    .filter((file) => !file.endsWith(".test.ts"))
    .flatMap((file) => [...readFileSync(new URL(file, ROUTES), "utf8").matchAll(/app\.(get|post|put|patch|delete)\(\s*"([^"]+)"/g)])
    .map(([, method, path]) => `${method} ${path!.replaceAll(/:(\w+)/g, "{$1}")}`);
}

test("the OpenAPI document has every route, and nothing else", async () => {
  const server = await startServer();
  const { json, status } = await server.call("GET", "/openapi.json", { key: null });
  expect(status).toBe(200);
  expect(json.openapi).toBe("3.1.0");
  const documented = Object.entries(json.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  const inSource = routesInSource();
  expect(inSource.length).toBeGreaterThanOrEqual(18);
  expect([...documented, ...UNDOCUMENTED].sort()).toEqual(inSource.sort());
});

test("every route under /v1 says which scopes it needs, has an id and a summary, and documents its problems", async () => {
  const server = await startServer();
  const { json } = await server.call("GET", "/openapi.json");
  const ids = new Set<string>();
  // biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document
  for (const [path, methods] of Object.entries(json.paths as Record<string, Record<string, any>>)) {
    for (const operation of Object.values(methods)) {
      expect(operation.summary).toBeTruthy();
      ids.add(operation.operationId);
      if (!path.startsWith("/v1/")) continue;
      expect(operation.security).toEqual([{ key: [] }]);
      expect(operation.description).toContain("Needs a key with the scope");
      expect(operation.responses["401"].content["application/problem+json"].schema).toEqual({ $ref: "#/components/schemas/Problem" });
    }
  }
  expect(ids.size).toBe(Object.values(json.paths as object).flatMap((methods) => Object.keys(methods)).length);
});

test("every schema of the document is a valid JSON Schema, and every reference leads somewhere", async () => {
  const server = await startServer();
  const { json, text } = await server.call("GET", "/openapi.json");
  for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
    expect(json.components.schemas).toHaveProperty([name!]);
  expect(text.match(/"\$ref":"(?!#\/components\/schemas\/)[^"]*"/g)).toBeNull();
  const validators = createValidators();
  for (const name of Object.keys(json.components.schemas)) {
    const schema = { $ref: `#/components/schemas/${name}`, components: json.components };
    expect(() => validators.validate(schema, null)).not.toThrow();
  }
  const run = { $ref: "#/components/schemas/Run", components: json.components };
  const started = await server.call("POST", "/v1/flows/echo/runs");
  const answer = await server.call("GET", `/v1/runs/${started.json.id}`);
  expect(validators.validate(run, answer.json).errors).toEqual([]);
  expect(validators.validate(run, { ...answer.json, status: "lost" }).errors).not.toEqual([]);
});

test("the document tells what a body may hold", async () => {
  const server = await startServer();
  const { json } = await server.call("GET", "/openapi.json");
  const body = json.paths["/v1/flows/{flow}/runs"].post.requestBody.content["application/json"].schema;
  expect(Object.keys(body.properties)).toEqual(["input", "tags", "priority", "release", "webhook", "stream"]);
  expect(body.additionalProperties).toBe(false);
  expect(json.paths["/v1/runs/{id}"].get.parameters.map((parameter: { name: string }) => parameter.name).sort()).toEqual(["id", "wait"]);
  expect(Object.keys(json.paths["/v1/runs/{id}"].get.responses)).toEqual(
    expect.arrayContaining(["200", "304", "400", "401", "403", "404", "503"]),
  );
});

test("/docs shows every route on one page that loads nothing and runs nothing", async () => {
  const server = await startServer();
  const page = await server.call("GET", "/docs", { key: null });
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
  expect(page.text).not.toMatch(/<script|src=|@import|url\(|<link/i);
  for (const route of routesInSource()) {
    if (UNDOCUMENTED.includes(route)) continue;
    const [method, path] = route.split(" ");
    expect(page.text).toContain(`${method!.toUpperCase()} ${path}`);
  }
  expect(page.text).not.toContain(ADMIN_KEY);
});

test("the problems of STANDARDS have the statuses it gives them", () => {
  const wanted: Record<string, number> = {
    "invalid-input": 422,
    "flow-not-found": 404,
    "run-not-found": 404,
    "release-not-found": 404,
    unauthorized: 401,
    "insufficient-scope": 403,
    "idempotency-key-reused": 422,
    "idempotency-in-progress": 409,
    "budget-exceeded": 402,
    "gate-failed": 409,
    "stale-plan": 409,
    "payload-too-large": 413,
    "not-cancellable": 409,
    "rate-limited": 429,
  };
  for (const [code, status] of Object.entries(wanted))
    expect([code, PROBLEMS[code as keyof typeof PROBLEMS]?.status]).toEqual([code, status]);
});
