import { describe, expect, test } from "vitest";
import type { MemoryStore } from "./memory-store.ts";
import { rawRequest } from "./raw-request.ts";
import { ADMIN_KEY, codeOf, startRun, startServer, type TestServer } from "./test-server.ts";

const START = "/v1/flows/echo/runs";

/** After whatever was done to the server, an honest caller is served. */
async function expectHealthy(server: TestServer<MemoryStore>): Promise<void> {
  await startRun(server);
}

function head(extra: string): string {
  return `POST ${START} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${ADMIN_KEY}\r\ncontent-type: application/json\r\n${extra}`;
}

describe("a hostile body", () => {
  test.each([
    ["cut off", '{"a":'],
    ["not JSON", "hello"],
    ["nested 100,000 levels deep", "[".repeat(100_000)],
    ["nested 100,000 levels deep and closed", `{"input":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
    ["nested one level too deep", `{"input":${"[".repeat(100)}${"]".repeat(100)}}`],
  ])("that is %s is malformed", async (_, body) => {
    const server = await startServer();
    const answer = await server.call("POST", START, { body });
    expect(answer.status).toBe(400);
    expect(codeOf(answer)).toBe("malformed-request");
    await expectHealthy(server);
  });

  test("nested as deep as allowed is taken", async () => {
    const server = await startServer();
    expect((await server.call("POST", START, { body: `{"input":${"[".repeat(99)}${"]".repeat(99)}}` })).status).toBe(202);
  });

  test("that is not UTF-8 is malformed", async () => {
    const server = await startServer();
    const bytes = Buffer.concat([Buffer.from('{"input":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    const answer = await rawRequest(
      server,
      Buffer.concat([Buffer.from(head(`content-length: ${bytes.length}\r\nconnection: close\r\n\r\n`)), bytes]),
    );
    expect(answer).toContain("400 Bad Request");
    expect(answer).toContain("not valid UTF-8");
  });

  test.each([
    ["a __proto__ key", '{"input":{"__proto__":{"admin":true}}}', "/input/__proto__"],
    ["a __proto__ key written with escapes", '{"input":{"\\u005f_proto__":1}}', "/input/__proto__"],
    ["a __proto__ key at the top", '{"__proto__":{"input":{}}}', "/__proto__"],
    ["U+0000 in text", '{"input":{"a":["x","\\u0000"]}}', "/input/a/1"],
    ["U+0000 in a key", '{"input":{"a\\u0000":1}}', "/input/a\ufffd"],
    ["U+0000 in a tag", '{"tags":["\\u0000"]}', "/tags/0"],
    ["half of a surrogate pair", '{"input":"\\ud83d"}', "/input"],
    ["a number that becomes Infinity", '{"input":{"n":1e400}}', "/input/n"],
    ["an integer that a double cannot hold", '{"input":{"n":9007199254740993}}', "/input/n"],
  ])("with %s is refused, by pointer", async (_, body, pointer) => {
    const server = await startServer();
    const answer = await server.call("POST", START, { body });
    expect(answer.status).toBe(422);
    expect(codeOf(answer)).toBe("invalid-input");
    expect(answer.json.errors[0].pointer).toBe(pointer);
    expect(server.store.calls.submitRun).toBeUndefined();
    await expectHealthy(server);
  });

  test("with big numbers that are exactly what was written is taken", async () => {
    const server = await startServer();
    const answer = await server.call("POST", START, { body: '{"input":[9007199254740992,1e300,0.1,-0,123456789012345680000]}' });
    expect(answer.status).toBe(202);
  });

  test("with a key twice: the last one counts", async () => {
    const server = await startServer();
    const { json } = await server.call("POST", START, { body: '{"input":{"a":1,"a":2}}' });
    expect(server.store.runs.get(json.id)?.run.input).toEqual({ a: 2 });
  });

  test("of another type than JSON is refused, by whatever name", async () => {
    const server = await startServer();
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"]) {
      const answer = await server.call("POST", START, { body: '{"input":{}}', headers: { "content-type": type } });
      expect(answer.status).toBe(415);
      expect(codeOf(answer)).toBe("unsupported-media-type");
    }
    const compressed = await server.call("POST", START, { body: "{}", headers: { "content-encoding": "gzip" } });
    expect(codeOf(compressed)).toBe("unsupported-media-type");
    expect((await server.call("POST", START, { body: "{}", headers: { "content-type": "application/json; charset=utf-8" } })).status).toBe(
      202,
    );
  });

  test("that says it is too large is refused before it is sent", async () => {
    const server = await startServer();
    const answer = await rawRequest(server, head("content-length: 10485760\r\n\r\n"));
    expect(answer).toContain("413 Payload Too Large");
    expect(answer).toContain("problems/payload-too-large");
    await expectHealthy(server);
  });

  test("without a length that grows too large is refused long before its end", async () => {
    const server = await startServer({ limits: { bodyBytes: 100_000 } });
    let sent = 0;
    const chunk = Buffer.from(`2710\r\n${" ".repeat(10_000)}\r\n`);
    const answer = await rawRequest(server, head("transfer-encoding: chunked\r\n\r\n"), (socket) => {
      const more = () => {
        while (!socket.destroyed && sent < 1_000_000_000) {
          sent += 10_000;
          if (!socket.write(chunk)) return void socket.once("drain", more);
        }
      };
      more();
    });
    expect(answer).toContain("413 Payload Too Large");
    expect(sent).toBeLessThan(50_000_000);
    await expectHealthy(server);
  });
});

describe("hostile HTTP", () => {
  test("content-length beside transfer-encoding is refused and the connection closed", async () => {
    const server = await startServer();
    const answer = await rawRequest(
      server,
      head("content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request/);
    expect(answer).toContain("application/problem+json");
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    await expectHealthy(server);
  });

  test("a line break inside an Idempotency-Key makes no second header", async () => {
    const server = await startServer();
    for (const key of ["a\r\n b", "a\nx-injected: 1", "a\rb"]) {
      const answer = await rawRequest(server, head(`idempotency-key: ${key}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`));
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request/);
    }
    expect(server.store.calls.submitRun).toBeUndefined();
  });

  test("garbage, and headers without end, are answered with a problem", async () => {
    const server = await startServer();
    expect(await rawRequest(server, "\x16\x03\x01 hello\r\n\r\n")).toContain("problems/malformed-request");
    expect(await rawRequest(server, `GET /healthz HTTP/1.1\r\nhost: x\r\nx-big: ${"a".repeat(100_000)}\r\n\r\n`)).toContain(
      "problems/headers-too-large",
    );
    await expectHealthy(server);
  });

  test("five hundred callers that send a header byte by byte are closed, and keep nobody out", async () => {
    const server = await startServer({ limits: { headersTimeoutMs: 1_000 } });
    const slow = Array.from({ length: 500 }, () =>
      rawRequest(server, "GET /healthz HTTP/1.1\r\nx: ", (socket) => {
        const drip = setInterval(() => socket.write("a"), 100);
        socket.once("close", () => clearInterval(drip));
      }),
    );
    await expectHealthy(server);
    const answers = await Promise.all(slow);
    expect(answers.filter((answer) => answer.includes("408 Request Timeout")).length).toBeGreaterThan(490);
    await expectHealthy(server);
  });

  test.each([["/v1/runs/%00"], ["/v1/runs/..%2f..%2fetc"], ["/v1/runs/' OR 1=1--"], [`/v1/runs/${"a".repeat(90)}`]])(
    "an id like %s is just not found, without asking the database",
    async (path) => {
      const server = await startServer();
      for (const suffix of ["", "/steps", "/events"]) {
        const answer = await server.call("GET", path + suffix);
        expect(answer.status).toBe(404);
        codeOf(answer);
      }
      expect(server.store.calls.getRun).toBeUndefined();
      expect(server.store.calls.listSteps).toBeUndefined();
    },
  );

  test("a path that is no path is malformed, one that is too long is not found", async () => {
    const server = await startServer();
    expect(codeOf(await server.call("GET", "/v1/runs/%zz"))).toBe("malformed-request");
    expect(codeOf(await server.call("GET", `/v1/runs/${"a".repeat(5_000)}`))).toBe("route-not-found");
  });

  test("limits and cursors are checked, large limits clamped, unknown parameters ignored", async () => {
    const server = await startServer();
    for (let i = 0; i < 3; i++) await startRun(server);
    expect((await server.call("GET", "/v1/runs?limit=1e9&colour=red")).json.runs).toHaveLength(3);
    for (const query of [
      "limit=0",
      "limit=-1",
      "limit=x",
      "limit=1&limit=2",
      "cursor=%27%20OR%201%3D1--",
      "status=done",
      "flow=%00",
      "cursor=%0d%0a",
    ]) {
      const answer = await server.call("GET", `/v1/runs?${query}`);
      expect(`${query}: ${answer.status} ${codeOf(answer)}`).toBe(`${query}: 400 malformed-request`);
    }
    expect(codeOf(await server.call("GET", "/v1/runs/run_x?wait=soon"))).toBe("malformed-request");
  });

  test("unknown routes and wrong methods are problems too", async () => {
    const server = await startServer();
    for (const path of ["/", "/v1", "/v1/plans", "/v1/runs/x/signals", "/v1/budgets", "/favicon.ico"]) {
      expect(codeOf(await server.call("GET", path))).toBe("route-not-found");
    }
    const answer = await server.call("PUT", "/v1/runs");
    expect(codeOf(answer)).toBe("method-not-allowed");
    expect(answer.headers.get("allow")).toBe("GET, HEAD");
    expect((await server.call("DELETE", "/v1/runs/run_x/cancel")).headers.get("allow")).toBe("POST");
  });
});

describe("what a caller learns from an error", () => {
  test("a defect is a bare 500: no stack, no message, but the request id that the log has", async () => {
    const server = await startServer();
    server.store.listRuns = () => Promise.reject(new Error("SELECT secret FROM CANARY"));
    const answer = await server.call("GET", "/v1/runs", { headers: { "x-request-id": "my-request-1" } });
    expect(codeOf(answer)).toBe("internal-error");
    expect(answer.text).not.toMatch(/CANARY|SELECT|\.ts|node_modules/);
    expect(answer.json.detail).toContain("my-request-1");
    expect(answer.headers.get("x-request-id")).toBe("my-request-1");
    expect(server.log()).toContain('"requestId":"my-request-1"');
  });

  test("a request id that could forge a line of the log is replaced", async () => {
    const server = await startServer();
    const answer = await server.call("GET", "/healthz", { headers: { "x-request-id": 'x","level":"fatal' } });
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });
});

test("the log holds no key, no body, no query string and no prompt, whatever happened", async () => {
  const server = await startServer();
  const secret = "CANARY-9f3";
  const { json } = await server.call("POST", "/v1/keys", { body: { name: "ci", scopes: ["run"] } });
  await server.call("POST", START, { body: { input: { text: secret } }, key: json.key });
  await server.call("POST", START, { body: `{"input": ${secret}` });
  await server.call("POST", "/v1/flows/triage/runs", { body: { input: { ticket: 1, [secret]: 1 } } });
  await server.call("GET", `/v1/runs?tag=${secret}&limit=x`);
  await server.call("GET", `/v1/runs?api_key=frk_${secret}`);
  await server.call("GET", "/v1/runs", { key: `frk_${secret}` });
  await server.call("GET", `/${secret}`);
  await server.call("GET", "/v1/runs", { headers: { cookie: secret, "x-request-id": `${secret}!` } });
  server.store.goAway();
  await server.call("POST", START, { body: { input: { text: secret } } });
  expect(server.log().split("\n").length).toBeGreaterThan(8);
  expect(server.log()).not.toContain(secret);
  expect(server.log()).not.toContain(json.key);
  expect(server.log()).not.toContain(ADMIN_KEY);
});
