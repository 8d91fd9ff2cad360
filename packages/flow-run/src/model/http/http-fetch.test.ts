import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { Dispatcher } from "undici";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { answerCut, answerStalled, answerWith, type FakeServer, startFakeServer } from "../__fixtures__/fake-server.ts";
import { createHttpAgent } from "./http-agent.ts";
import { createHttpFetch, type HttpFetch } from "./http-fetch.ts";

const MAX = 100_000;

describe("the lean fetch", () => {
  let server: FakeServer;
  let agent: Dispatcher;
  let fetch: HttpFetch;

  beforeAll(async () => {
    server = await startFakeServer();
    agent = await createHttpAgent();
    fetch = createHttpFetch(agent, { maxBodyBytes: MAX });
  });
  afterAll(async () => {
    await agent.destroy();
    await server.close();
  });
  beforeEach(() => {
    server.requests.length = 0;
  });

  const post = (init: RequestInit = {}) =>
    fetch(`${server.origin}/v1/chat?alt=sse`, {
      method: "POST",
      body: '{"a":1}',
      headers: { authorization: "Bearer k", "content-type": "application/json" },
      ...init,
    });

  it("sends method, path, headers and body, and gives status, headers and body back", async () => {
    server.answers(answerWith(201, "application/json", '{"ok":"ü"}', { "x-test": "yes" }));
    const response = await post();
    expect(server.requests[0]).toMatchObject({ path: "/v1/chat?alt=sse", body: { a: 1 }, headers: { authorization: "Bearer k" } });
    expect(response).toMatchObject({ ok: true, status: 201 });
    expect(response.headers.get("X-Test")).toBe("yes");
    expect(Object.fromEntries([...response.headers])).toMatchObject({ "content-type": "application/json", "x-test": "yes" });
    expect(await response.json()).toEqual({ ok: "ü" });
  });

  it("uses one connection for requests that follow each other", async () => {
    server.answers(answerWith(200, "application/json", "{}"));
    await (await post()).json();
    const before = server.connections;
    for (let i = 0; i < 20; i++) await (await post()).json();
    expect(server.connections).toBe(before);
  });

  it("hands a stream on while it arrives", async () => {
    let more!: () => void;
    server.answers((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
      more = () => response.end("data: 2\n\n");
    });
    const reader = (await post()).body!.getReader();
    const decode = new TextDecoder();
    expect(decode.decode((await reader.read()).value)).toBe("data: 1\n\n");
    more();
    expect(decode.decode((await reader.read()).value)).toBe("data: 2\n\n");
    expect((await reader.read()).done).toBe(true);
  });

  it.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
  ] as const)("decompresses %s, whole and streamed", async (encoding, compress) => {
    const body = compress(Buffer.from("data: hello\n\n"));
    server.answers(
      answerWith(200, "application/json", body, { "content-encoding": encoding }),
      answerWith(200, "text/event-stream", body, { "content-encoding": encoding }),
    );
    expect(await (await post()).text()).toBe("data: hello\n\n");
    expect(await (await post()).text()).toBe("data: hello\n\n");
  });

  it.each(["application/json", "text/event-stream"])("cuts a small body that unpacks into a huge one (%s)", async (type) => {
    server.answers(answerWith(200, type, gzipSync(Buffer.alloc(50 * MAX)), { "content-encoding": "gzip" }));
    await expect(post().then((response) => response.text())).rejects.toMatchObject({ code: "answer-too-large" });
  });

  it.each(["application/json", "text/event-stream"])("refuses a body that is not what its encoding says (%s)", async (type) => {
    server.answers(answerWith(200, type, "plain", { "content-encoding": "gzip" }));
    await expect(post().then((response) => response.text())).rejects.toMatchObject({ code: "bad-answer" });
  });

  it("refuses an encoding that it does not know", async () => {
    server.answers(answerWith(200, "application/json", "?", { "content-encoding": "lzma" }));
    await expect(post()).rejects.toMatchObject({ code: "bad-answer", message: expect.stringContaining("lzma") });
  });

  it.each(["application/json", "text/event-stream"])(
    "gives an answer up that grows beyond the cap, and its connection with it (%s)",
    async (type) => {
      server.answers((_, response) => {
        response.writeHead(200, { "content-type": type });
        const more = () => {
          while (!response.destroyed && response.write(" ".repeat(10_000)));
          if (!response.destroyed) response.once("drain", more);
        };
        more();
      });
      const gone = server.disconnected();
      await expect(post().then((response) => response.text())).rejects.toMatchObject({ code: "answer-too-large", retryable: false });
      await gone;
    },
  );

  it.each([301, 302, 303, 307, 308])("does not follow a %i, so that the key stays here", async (status) => {
    const elsewhere = await startFakeServer();
    server.answers(answerWith(status, "text/plain", "", { location: `${elsewhere.origin}/steal` }));
    await expect(post()).rejects.toMatchObject({
      code: "provider-rejected",
      statusCode: status,
      message: expect.stringContaining(new URL(elsewhere.origin).host),
    });
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });

  it("says that a web page is not an API", async () => {
    server.answers(answerWith(200, "text/html; charset=utf-8", "<html>"));
    await expect(post()).rejects.toMatchObject({ code: "bad-answer", message: expect.stringContaining("baseUrl") });
  });

  it("hands error pages on with their status", async () => {
    server.answers(answerWith(502, "text/html", "<html>Bad gateway</html>"));
    const response = await post();
    expect(response).toMatchObject({ ok: false, status: 502 });
    expect(await response.text()).toContain("Bad gateway");
  });

  it("calls a refused connection unreachable", async () => {
    const gone = await startFakeServer();
    await gone.close();
    await expect(fetch(gone.origin, { method: "POST", body: "{}" })).rejects.toMatchObject({
      code: "provider-unreachable",
      retryable: true,
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });

  it("calls a connection that breaks before the answer unreachable, and one that breaks within it interrupted", async () => {
    server.answers(
      (_, response) => void response.socket?.destroy(),
      answerCut("application/json", '{"a":'),
      answerCut("text/event-stream", "data: 1\n\n"),
    );
    await expect(post()).rejects.toMatchObject({ code: "provider-unreachable" });
    await expect(post()).rejects.toMatchObject({ code: "stream-interrupted" });
    await expect(post().then((response) => response.text())).rejects.toMatchObject({ code: "stream-interrupted" });
  });

  it("does not trust a certificate that nobody signed, and says so", async () => {
    const folder = mkdtempSync(join(tmpdir(), "flow-run-tls-"));
    try {
      const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
      execFileSync(
        "openssl",
        [
          "req",
          "-x509",
          "-newkey",
          "ec",
          "-pkeyopt",
          "ec_paramgen_curve:prime256v1",
          "-nodes",
          "-keyout",
          key,
          "-out",
          cert,
          "-days",
          "1",
          "-subj",
          "/CN=127.0.0.1",
          "-addext",
          "subjectAltName=IP:127.0.0.1",
        ],
        { stdio: "ignore" },
      );
      const secure = await startFakeServer({ key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") });
      secure.answers(answerWith(200, "application/json", "{}"));
      await expect(fetch(secure.origin, { method: "POST", body: "{}" })).rejects.toMatchObject({
        code: "provider-unreachable",
        retryable: false,
        message: expect.stringContaining("certificate"),
      });
      const trusting = await createHttpAgent({ ca: readFileSync(cert, "utf8") });
      expect((await createHttpFetch(trusting)(secure.origin, { method: "POST", body: "{}" })).status).toBe(200);
      await trusting.close();
      await secure.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ["before the head", answerStalled()],
    ["within a whole body", answerStalled("application/json", '{"a":')],
    ["within a stream", answerStalled("text/event-stream", "data: 1\n\n")],
  ])("ends at once on abort %s, and closes the connection", async (_, answer) => {
    let arrived!: () => void;
    const started = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    server.answers((request, response) => {
      answer(request, response);
      arrived();
    });
    const gone = server.disconnected();
    const controller = new AbortController();
    const outcome = post({ signal: controller.signal }).then((response) => response.text());
    outcome.catch(() => {});
    await started;
    controller.abort();
    await expect(outcome).rejects.toMatchObject({ code: "aborted" });
    await gone;
  });

  it("gives the connection up when a stream's reader goes away", async () => {
    server.answers(answerStalled("text/event-stream", "data: 1\n\n"));
    const gone = server.disconnected();
    const reader = (await post()).body!.getReader();
    await reader.read();
    await reader.cancel();
    await gone;
  });

  it("holds the sender back while nobody reads", async () => {
    const roomy = createHttpFetch(agent);
    let held!: () => void;
    const full = new Promise<void>((resolve) => {
      held = resolve;
    });
    let written = 0;
    server.answers((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const chunk = "x".repeat(1 << 20);
      const more = () => {
        while (written < 40) {
          written++;
          if (!response.write(chunk)) return response.once("drain", more);
        }
        return response.end();
      };
      more();
      // No drain within a while: the buffers between us are full.
      let last = -1;
      const watch = setInterval(() => {
        if (written === last) {
          clearInterval(watch);
          held();
        }
        last = written;
      }, 100);
    });
    const response = await roomy(server.origin, { method: "POST", body: "{}" });
    await full;
    expect(written).toBeLessThan(40);
    expect((await response.text()).length).toBe(40 << 20);
  });

  it("refuses an address that is none, and headers that are none", async () => {
    await expect(fetch("not a url", {})).rejects.toMatchObject({ code: "provider-unreachable", retryable: false });
    await expect(post({ headers: { "x-a": "line\nbreak" } })).rejects.toMatchObject({ code: "provider-unreachable", retryable: false });
  });
});
