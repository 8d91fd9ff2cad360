import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOutbound, permissionFrom } from "./index.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe("requests to the outside", () => {
  const handlers = new Map<string, Handler>();
  const server = createServer((request, response) => handlers.get(request.url!.split("?")[0]!)!(request, response));
  const outbound = createOutbound({ allowPrivateNetwork: "loopback", maxBodyBytes: 100_000 });
  let origin = "";
  let paths = 0;

  /** A URL of its own for a handler. */
  function at(handler: Handler): string {
    const path = `/${++paths}`;
    handlers.set(path, handler);
    return origin + path;
  }

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await outbound.close();
    server.closeAllConnections();
    server.close();
  });

  test("method, headers and body arrive, and status, headers and body come back", async () => {
    const url = at(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      response.writeHead(201, { "X-Kind": "note", "set-cookie": ["a=1", "b=2"] });
      response.end(JSON.stringify({ method: request.method, url: request.url, own: request.headers["x-own"], body }));
    });
    const answer = await outbound.request({ method: "POST", url: `${url}?q=1#part`, headers: { "X-Own": "yes" }, body: "grüß" });
    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({ "x-kind": "note", "set-cookie": "a=1, b=2" });
    expect(JSON.parse(text(answer.body))).toEqual({ method: "POST", url: expect.stringMatching(/^\/\d+\?q=1$/), own: "yes", body: "grüß" });
  });

  test.each([301, 302, 303, 307, 308])("a redirect (%i) is an answer and is not followed", async (status) => {
    let followed = 0;
    const target = at((_request, response) => {
      followed++;
      response.end();
    });
    const url = at((_request, response) => response.writeHead(status, { location: target }).end());
    const answer = await outbound.request({ method: "POST", url, headers: { authorization: "Bearer key" }, body: "x" });
    expect(answer).toMatchObject({ status, headers: { location: target } });
    expect(followed).toBe(0);
  });

  test.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
  ] as const)("an answer in %s is decompressed, and a bomb is stopped at the cap", async (encoding, compress) => {
    const small = at((_request, response) => response.writeHead(200, { "content-encoding": encoding }).end(compress("hello")));
    expect(text((await outbound.request({ method: "GET", url: small })).body)).toBe("hello");
    const bomb = compress(Buffer.alloc(50_000_000));
    expect(bomb.length).toBeLessThan(100_000);
    const url = at((_request, response) => response.writeHead(200, { "content-encoding": encoding }).end(bomb));
    await expect(outbound.request({ method: "GET", url })).rejects.toMatchObject({ code: "answer-too-large", retryable: false });
  });

  test("an endless answer is stopped at the cap", async () => {
    const url = at((_request, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(16_000)));
      };
      response.on("drain", more);
      more();
    });
    await expect(outbound.request({ method: "GET", url })).rejects.toMatchObject({ code: "answer-too-large" });
  });

  test("whoever wants the beginning of an answer gets it, however long the answer is", async () => {
    const url = at((request, response) => {
      response.setHeader("x-accepts", request.headers["accept-encoding"] ?? "nothing");
      const more = () => {
        while (response.write("x".repeat(16_000)));
      };
      response.on("drain", more);
      more();
    });
    const answer = await outbound.request({ method: "POST", url, cutBodyAt: 4_096 });
    expect(answer.body).toHaveLength(4_096);
    expect(answer.headers["x-accepts"]).toBe("nothing");
  });

  test("garbage in place of compressed bytes and unknown encodings are bad answers", async () => {
    for (const encoding of ["gzip", "middle-out"]) {
      const url = at((_request, response) => response.writeHead(200, { "content-encoding": encoding }).end("plain"));
      await expect(outbound.request({ method: "GET", url })).rejects.toMatchObject({ code: "bad-answer" });
    }
  });

  test("an answer without a body has none, also when it claims an encoding", async () => {
    const url = at((_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end());
    for (const method of ["HEAD", "GET"]) expect((await outbound.request({ method, url })).body).toHaveLength(0);
  });

  test("a receiver that never answers, or sends a byte now and then, is left at the deadline", async () => {
    const silent = at(() => {});
    const dripping = at((_request, response) => {
      const timer = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(timer));
    });
    for (const url of [silent, dripping]) {
      await expect(outbound.request({ method: "GET", url, timeoutMs: 200 })).rejects.toMatchObject({ code: "timeout", retryable: true });
    }
  });

  test("a request that is given up rejects with the reason, and its connection is closed", async () => {
    const arrived = Promise.withResolvers<ServerResponse>();
    const url = at((_request, response) => arrived.resolve(response));
    const abort = new AbortController();
    const answer = outbound.request({ method: "GET", url, signal: abort.signal });
    const rejected = expect(answer).rejects.toThrow("enough");
    const response = await arrived.promise;
    const closed = once(response, "close");
    abort.abort(new Error("enough"));
    await rejected;
    await closed;
  });

  test.each([
    ["X-A", "a\r\nX-B: b"],
    ["X-A", "a\nb"],
    ["X-A", "a\u0000b"],
    ["X-A", "日本"],
    ["X-A\r\nX-B", "a"],
    ["X A", "a"],
    ["", "a"],
    ["Host", "internal"],
    ["Content-Length", "3"],
    ["transfer-encoding", "chunked"],
    ["Connection", "upgrade"],
    ["Upgrade", "h2c"],
  ])("the header %j: %j is refused before anything is sent", async (name, value) => {
    let arrived = 0;
    const url = at(() => arrived++);
    await expect(outbound.request({ method: "POST", url, headers: { [name]: value }, body: "abc" })).rejects.toMatchObject({
      code: "bad-request",
      retryable: false,
    });
    expect(arrived).toBe(0);
  });

  test.each(["CONNECT", "TRACE", "get", "GET /x HTTP/1.1\r\n"])("the method %j is refused", async (method) => {
    await expect(outbound.request({ method, url: origin })).rejects.toMatchObject({ code: "bad-request" });
  });

  test("nobody listening, a name that does not exist and a connection that breaks are unreachable and worth another try", async () => {
    const breaking = at((request) => request.socket.destroy());
    const half = at((request, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("12345", () => request.socket.destroy());
    });
    const gone = createTcpServer();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    for (const url of [breaking, half, `http://127.0.0.1:${port}/path?token=hidden`]) {
      const failing = outbound.request({ method: "GET", url });
      await expect(failing).rejects.toMatchObject({ code: "unreachable", retryable: true });
      await expect(failing).rejects.not.toThrow(/hidden/);
    }
    const nameless = createOutbound({
      allowPrivateNetwork: false,
      resolve: async () => Promise.reject(Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" })),
    });
    await expect(nameless.request({ method: "GET", url: "http://gone.example/" })).rejects.toMatchObject({
      code: "unreachable",
      message: "gone.example cannot be reached (ENOTFOUND).",
    });
    await nameless.close();
  });

  test("what answers in another protocol is unreachable", async () => {
    const sockets: Socket[] = [];
    const odd = createTcpServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {});
      socket.end("SSH-2.0-OpenSSH\r\n");
    });
    await new Promise<void>((resolve) => odd.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(odd.address() as AddressInfo).port}/`;
    await expect(outbound.request({ method: "GET", url })).rejects.toMatchObject({ code: "unreachable" });
    for (const socket of sockets) socket.destroy();
    odd.close();
  });
});

describe("FLOW_RUN_ALLOW_PRIVATE_NETWORK", () => {
  test("1 permits, 0 refuses, nothing leaves it to the command, and anything else is said", () => {
    expect(permissionFrom("1", false)).toBe(true);
    expect(permissionFrom("0", "loopback")).toBe(false);
    expect(permissionFrom(undefined, "loopback")).toBe("loopback");
    expect(permissionFrom("", false)).toBe(false);
    expect(() => permissionFrom("yes", false)).toThrow("FLOW_RUN_ALLOW_PRIVATE_NETWORK=yes: write 1 or 0.");
  });
});
