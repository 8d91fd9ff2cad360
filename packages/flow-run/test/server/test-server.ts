import { Writable } from "node:stream";
import type { Problem } from "@flow-run/spec";
import { onTestFinished } from "vitest";
import { createValidators } from "../../src/compile/index.ts";
import { type App, type AppOptions, createApp, createLogger } from "../../src/server/index.ts";
import type { Store } from "../../src/store/index.ts";
import { MemoryStore } from "./memory-store.ts";
import { testBundle } from "./test-bundle.ts";

export const ADMIN_KEY = "frk_admin-key-of-the-tests";

export interface TestServer<Kind extends Store = MemoryStore> {
  url: string;
  port: number;
  store: Kind;
  app: App;
  /** Everything that was logged, at every level. */
  log(): string;
  /** Sends a request with the admin key; a body is sent as JSON. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
}

export interface CallOptions {
  body?: unknown;
  headers?: Record<string, string>;
  /** null: no key. */
  key?: string | null;
  environment?: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever comes back
  json: any;
}

export type TestServerOptions<Kind extends Store> = Partial<AppOptions> & { store?: Kind; deployed?: boolean };

/** A real server on a free port, closed at the end of the test; with a release in `dev` unless told otherwise. */
export async function startServer<Kind extends Store = MemoryStore>(options: TestServerOptions<Kind> = {}): Promise<TestServer<Kind>> {
  const { deployed = true, ...appOptions } = options;
  const store = (options.store ?? new MemoryStore()) as Kind;
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const app = await createApp({
    validators: createValidators(),
    adminKey: ADMIN_KEY,
    secrets: () => undefined,
    logger: createLogger({ level: "trace", destination: sink }),
    version: "0.0.0-test",
    ...appOptions,
    store,
  });
  onTestFinished(() => app.close());
  if (deployed) {
    const bundle = testBundle();
    await store.deploy({ environment: "dev", bundle, hash: bundle.hash as string, author: null, message: null, commit: null });
  }
  const { url } = await app.listen({ port: 0, host: "127.0.0.1" });
  return {
    url,
    port: Number(new URL(url).port),
    store,
    app,
    log: () => lines.join(""),
    call: (method, path, call) => send(url, method, path, call),
  };
}

async function send(url: string, method: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const headers = new Headers(options.headers);
  const key = options.key === undefined ? ADMIN_KEY : options.key;
  if (key !== null && !headers.has("authorization")) headers.set("authorization", `Bearer ${key}`);
  if (options.environment !== undefined) headers.set("x-flow-run-environment", options.environment);
  let body: string | undefined;
  if (options.body !== undefined) {
    body = typeof options.body === "string" ? options.body : JSON.stringify(options.body);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
  }
  const response = await fetch(url + path, { method, headers, body, redirect: "manual" });
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}

/** The code of a problem document, after checking that it is one. */
export function codeOf(answer: Answer): string {
  const problem = answer.json as Problem;
  if (!answer.headers.get("content-type")?.startsWith("application/problem+json"))
    throw new Error(`not a problem: ${answer.status} ${answer.text}`);
  if (problem.status !== answer.status || !problem.title || !problem.detail) throw new Error(`not a whole problem: ${answer.text}`);
  return problem.type.replace("https://flow-run.dev/problems/", "");
}

export async function startRun(server: TestServer<Store>, options: CallOptions & { flow?: string } = {}): Promise<string> {
  const { flow = "triage", body = { input: { ticket: "hello" } }, ...call } = options;
  const answer = await server.call("POST", `/v1/flows/${flow}/runs`, { body, ...call });
  if (answer.status !== 202) throw new Error(`not accepted: ${answer.status} ${answer.text}`);
  return answer.json.id;
}
