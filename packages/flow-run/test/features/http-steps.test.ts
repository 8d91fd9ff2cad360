import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Json } from "@flow-run/spec";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { runLocally } from "../../src/compose.ts";
import type { EngineEvent } from "../../src/engine/index.ts";
import { compileFiles } from "../support/compile-files.ts";

interface Seen {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

const CANARY = 'CANARY-s3cret/"quoted"&more';

describe("http steps", () => {
  const seen: Seen[] = [];
  let answer: (request: Seen, response: ServerResponse) => void = (_request, response) => response.end();
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const one = { method: request.method!, url: request.url!, headers: request.headers, body };
    seen.push(one);
    answer(one, response);
  });
  let origin = "";

  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  afterEach(() => {
    seen.length = 0;
    vi.unstubAllEnvs();
  });

  function answerWith(status: number, headers: { [name: string]: string }, body = ""): void {
    answer = (_request, response) => response.writeHead(status, headers).end(body);
  }

  function answerJson(value: Json, status = 200): void {
    answerWith(status, { "content-type": "application/json; charset=utf-8" }, JSON.stringify(value));
  }

  async function runWorkflow(yaml: string, input: Json = {}, signal = new AbortController().signal) {
    const bundle = await compileFiles({
      "flow-run.yaml": "name: http\nenvironments: { local: { vars: { ORIGIN: x } } }\n",
      "flows/main.yaml": yaml.replaceAll("ORIGIN", origin),
    });
    const events: EngineEvent[] = [];
    const onEvent = (event: EngineEvent) => events.push(event);
    const result = await runLocally({ bundle, environment: "local", flow: "main", input, onEvent, signal });
    return { ...result, events };
  }

  it("sends an object as JSON and gives status, headers and the parsed body", async () => {
    answerWith(201, { "content-type": "application/problem+json", "x-kind": "note" }, '{"id": 7}');
    const { run, steps } = await runWorkflow(
      `input: { text: string }
steps:
  - { id: file, http: { method: POST, url: "ORIGIN/notes", headers: { X-Own: "\${{ input.text }}" }, body: { text: "\${{ input.text }}", n: 1 } } }
  - { id: after, set: { id: "\${{ steps.file.output.body.id }}", kind: "\${{ steps.file.output.headers['x-kind'] }}", status: "\${{ steps.file.output.status }}" } }`,
      { text: "hi" },
    );
    expect(run).toMatchObject({ status: "succeeded", output: { id: 7, kind: "note", status: 201 }, usage: { calls: 0 } });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ method: "POST", url: "/notes", headers: { "x-own": "hi", "content-type": "application/json" } });
    expect(JSON.parse(seen[0]!.body)).toEqual({ text: "hi", n: 1 });
    expect(seen[0]!.headers["idempotency-key"]).toBe(`${run.id}:file`);
    expect(steps[0]).toMatchObject({
      kind: "http",
      status: "succeeded",
      input: { method: "POST", url: `${origin}/notes`, headers: { "X-Own": "hi" }, body: { text: "hi", n: 1 } },
    });
  });

  it("sends text as it is, and an author's own content type and Idempotency-Key", async () => {
    answerWith(200, {}, "plain");
    const { run } = await runWorkflow(`steps:
  - { id: plain, http: { method: PUT, url: "ORIGIN/a", body: "grüß dich" } }
  - { id: own, http: { method: PUT, url: "ORIGIN/b", headers: { Content-Type: text/csv, Idempotency-Key: mine }, body: "a,b" } }
  - { id: none, http: { url: "ORIGIN/c" } }
output: { body: "\${{ steps.none.output.body }}" }`);
    expect(run.output).toEqual({ body: "plain" });
    expect(seen.map(({ method, body, headers }) => [method, body, headers["content-type"]])).toEqual([
      ["PUT", "grüß dich", "text/plain; charset=utf-8"],
      ["PUT", "a,b", "text/csv"],
      ["GET", "", undefined],
    ]);
    expect(seen[1]!.headers["idempotency-key"]).toBe("mine");
  });

  it("an answer without a body gives null", async () => {
    answerWith(204, {});
    expect((await runWorkflow(`steps: [{ id: gone, http: { method: DELETE, url: "ORIGIN/x" } }]`)).run.output).toMatchObject({
      status: 204,
      body: null,
    });
  });

  it("each element of a list is a request with a key of its own", async () => {
    answer = ({ url }, response) => response.setHeader("content-type", "application/json").end(JSON.stringify(url));
    const { run } = await runWorkflow(
      `input: { ids(array): string }
steps: [{ id: all, forEach: "\${{ input.ids }}", http: { url: "ORIGIN/\${{ item }}", output: string } }]
output: { bodies: "\${{ steps.all.output.map(a, a.body) }}" }`,
      { ids: ["a", "b", "c"] },
    );
    expect(run.output).toEqual({ bodies: ["/a", "/b", "/c"] });
    expect(new Set(seen.map((one) => one.headers["idempotency-key"]))).toEqual(
      new Set([0, 1, 2].map((index) => `${run.id}:all[${index}]`)),
    );
  });

  it("an answer outside of 2xx fails the step with status and the beginning of the body", async () => {
    answerWith(404, {}, `nobody   here\n${"x".repeat(1_000)}`);
    const { run } = await runWorkflow(`steps: [{ id: get, retries: 3, http: { url: "ORIGIN/thing?token=1" } }]`);
    expect(run).toMatchObject({ status: "failed", error: { code: "http-error", step: "get", retryable: false } });
    expect(run.error!.message).toBe(`GET ${origin}/thing answered 404: nobody here ${"x".repeat(288)}…`);
    expect(seen).toHaveLength(1);
  });

  it("a redirect fails the step and names its target", async () => {
    answerWith(302, { location: "http://127.0.0.1:1/elsewhere" });
    const { run } = await runWorkflow(`steps: [{ id: get, http: { url: "ORIGIN/" } }]`);
    expect(run.error).toMatchObject({
      code: "http-error",
      message: `GET ${origin}/ answered 302 and points to http://127.0.0.1:1/elsewhere. Redirects are not followed: write that URL if it is the right one.`,
    });
  });

  it.each([408, 425, 429, 500, 503])("%i is tried again as often as the step says, with the same key", async (status) => {
    answer = (_request, response) => response.writeHead(seen.length < 3 ? status : 200, { "retry-after": "0" }).end();
    const { run } = await runWorkflow(`steps: [{ id: get, retries: 2, http: { url: "ORIGIN/" } }]`);
    expect(run.status).toBe("succeeded");
    expect(seen).toHaveLength(3);
    expect(new Set(seen.map((one) => one.headers["idempotency-key"])).size).toBe(1);
  });

  it("the next try comes no sooner than the server asks", async () => {
    const times: number[] = [];
    answer = (_request, response) => {
      times.push(performance.now());
      response.writeHead(times.length === 1 ? 503 : 200, { "retry-after": "1" }).end();
    };
    await runWorkflow(`steps: [{ id: get, retries: 1, http: { url: "ORIGIN/" } }]`);
    expect(times[1]! - times[0]!).toBeGreaterThan(990);
  });

  it("onError goes on without it", async () => {
    answerWith(500, {}, "down");
    const { run, steps } = await runWorkflow(`steps:
  - { id: get, http: { url: "ORIGIN/" }, onError: continue }
  - { id: after, set: { body: "\${{ steps.get.output.?body.orValue('nothing') }}" } }`);
    expect(run.output).toEqual({ body: "nothing" });
    expect(steps[0]).toMatchObject({ status: "failed", error: { message: `GET ${origin}/ answered 500: down` } });
  });

  it("a body that does not fit the declared schema, is no JSON or is too deep fails the step", async () => {
    const step = (output: string) => `steps: [{ id: get, retries: 3, http: { url: "ORIGIN/"${output} } }]`;
    answerJson({ id: "seven" });
    expect((await runWorkflow(step(", output: { id: integer }"))).run.error).toMatchObject({
      code: "answer-invalid",
      message: expect.stringContaining("/id"),
    });
    answerWith(200, { "content-type": "application/json" }, "<html>");
    expect((await runWorkflow(step(""))).run.error).toMatchObject({ code: "bad-answer" });
    answerWith(200, { "content-type": "application/json" }, "[".repeat(100_000) + "]".repeat(100_000));
    expect((await runWorkflow(step(""))).run.error).toMatchObject({ code: "bad-answer" });
    expect(seen).toHaveLength(3);
  });

  it("a receiver that does not answer is left at the step's timeout", async () => {
    const closed = Promise.withResolvers<void>();
    answer = (_request, response) => response.on("close", () => closed.resolve());
    const { run } = await runWorkflow(`steps: [{ id: get, timeout: 200ms, http: { url: "ORIGIN/" } }]`);
    expect(run.error).toMatchObject({ code: "step-timeout", step: "get" });
    await closed.promise;
  });

  it("a run that is cancelled breaks its request off", async () => {
    const cancel = new AbortController();
    const closed = Promise.withResolvers<void>();
    answer = (_request, response) => {
      response.on("close", () => closed.resolve());
      cancel.abort();
    };
    const { run } = await runWorkflow(`steps: [{ id: get, retries: 3, http: { url: "ORIGIN/" }, onError: continue }]`, {}, cancel.signal);
    expect(run.status).toBe("cancelled");
    await closed.promise;
    expect(seen).toHaveLength(1);
  });

  it("this machine may be called by local runs, unless the operator forbids it; other networks are the operator's to allow", async () => {
    answerWith(200, {});
    const call = (url: string) => runWorkflow(`steps: [{ id: get, http: { url: "${url}" } }]`);
    expect((await call("ORIGIN/")).run.status).toBe("succeeded");
    expect((await call("http://10.255.255.1/")).run.error).toMatchObject({ code: "address-not-allowed", step: "get" });
    vi.stubEnv("FLOW_RUN_ALLOW_PRIVATE_NETWORK", "0");
    expect((await call("ORIGIN/")).run.error).toMatchObject({ code: "address-not-allowed" });
    expect(seen).toHaveLength(1);
  });

  describe("secrets", () => {
    const SECRET_STEP = `steps:
  - id: send
    retries: 1
    http:
      method: POST
      url: "ORIGIN/hook?key=\${{ secrets.HTTP_CANARY }}"
      headers: { Authorization: "Bearer \${{ secrets.HTTP_CANARY }}", X-Plain: visible }
      body: { token: "\${{ secrets['HTTP_CANARY'] }}", part: "\${{ secrets.HTTP_CANARY.split('-')[1] }}", public: 1 }
  - { id: again, set: { echo: "\${{ steps.send.output }}" } }`;

    /** Nothing of the secret, however written, in anything that is kept or told. */
    function expectNoSecret(result: Awaited<ReturnType<typeof runWorkflow>>): void {
      const kept = JSON.stringify(result);
      for (const form of ["CANARY-s3cret", encodeURIComponent(CANARY), CANARY]) expect(kept).not.toContain(form);
    }

    it("are sent, and stand in no record: not in the step's input, nor where the server repeats them", async () => {
      vi.stubEnv("HTTP_CANARY", `${CANARY}\n`);
      answer = (request, response) =>
        response
          .writeHead(200, { "content-type": "application/json", "x-echo": encodeURIComponent(CANARY) })
          .end(JSON.stringify({ [CANARY]: request.headers.authorization, nested: [request.body, request.url] }));
      const result = await runWorkflow(SECRET_STEP);
      expect(result.run.status).toBe("succeeded");
      expect(seen[0]!.headers.authorization).toBe(`Bearer ${CANARY}`);
      expect(JSON.parse(seen[0]!.body)).toMatchObject({ token: CANARY, part: 's3cret/"quoted"&more' });
      expect(new URL(seen[0]!.url, origin).searchParams.get("key")).toContain("CANARY-s3cret");
      expect(result.steps[0]!.input).toEqual({
        method: "POST",
        url: `${origin}/hook?key=***`,
        headers: { Authorization: "Bearer ***", "X-Plain": "visible" },
        // What is cut out of a secret cannot be cut out of what stands in its place.
        body: "***",
      });
      expectNoSecret(result);
    });

    it.each([
      ["an answer that repeats the request", 400],
      ["one that is tried again", 503],
      ["a redirect", 302],
    ])("do not get out through %s", async (_what, status) => {
      vi.stubEnv("HTTP_CANARY", CANARY);
      answer = (request, response) =>
        response
          .writeHead(status, { location: `http://127.0.0.1:1/?key=${encodeURIComponent(CANARY)}` })
          .end(`you sent ${request.headers.authorization} ${request.url} ${request.body}`);
      const result = await runWorkflow(SECRET_STEP);
      expect(result.run.error).toMatchObject({ code: "http-error" });
      expectNoSecret(result);
    });

    it("do not get out through a host, a header or an expression that fails", async () => {
      vi.stubEnv("HTTP_CANARY", "CANARY-s3cret");
      for (const http of [
        `{ url: "http://\${{ secrets.HTTP_CANARY }}.invalid/" }`,
        `{ url: "\${{ secrets.HTTP_CANARY }}" }`,
        `{ url: "http://\${{ secrets.HTTP_CANARY }}@127.0.0.1/" }`,
        `{ url: "ORIGIN/", headers: { "X-A": '\${{ secrets.HTTP_CANARY + "\\n" }}' } }`,
        `{ url: "ORIGIN/", body: "\${{ int(secrets.HTTP_CANARY) }}" }`,
        `{ url: "ORIGIN/", body: "\${{ fromJson(secrets.HTTP_CANARY) }}" }`,
        `{ url: "ORIGIN/", body: "\${{ timestamp(secrets.HTTP_CANARY) }}" }`,
      ]) {
        const result = await runWorkflow(`steps: [{ id: send, http: ${http} }]`);
        expect(result.run.status).toBe("failed");
        expectNoSecret(result);
        expect(JSON.stringify(result).toLowerCase()).not.toContain("canary-s3cret");
      }
    });

    it("a missing one is named, and one that may be missing may be", async () => {
      answerWith(200, {});
      const missing = await runWorkflow(`steps: [{ id: send, http: { url: "ORIGIN/\${{ secrets.HTTP_ABSENT }}" } }]`);
      expect(missing.run.error).toMatchObject({
        code: "missing-secret",
        message: "send needs the secret HTTP_ABSENT. Set it as an environment variable where runs are executed.",
      });
      const optional = `steps: [{ id: send, http: { url: "ORIGIN/", headers: { X-Key: "\${{ secrets.?HTTP_ABSENT.orValue('none') }}" } } }]`;
      expect((await runWorkflow(optional)).run.status).toBe("succeeded");
      expect(seen.map((one) => one.headers["x-key"])).toEqual(["none"]);
    });
  });
});
