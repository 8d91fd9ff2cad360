import { createClient } from "@flow-run/client";
import type { Json, RunEvent } from "@flow-run/spec";
import pg from "pg";
import { describe, expect } from "vitest";
import { type Installation, type Server, test, until } from "../support/installation.ts";

/** Text of a run is read while it is written, whichever process executes the run and whichever is asked for its events. */

const WORDS = Array.from({ length: 40 }, (_, index) => `word${index}`);
const ANSWER = `${WORDS.join(" ")} – ünïcödé 😀 "quoted".`;

const FILES = {
  "flow-run.yaml": `name: talk
providers: { wire: { type: openai, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1", apiKey: none } }
models: { default: { use: wire/gpt-5-mini, retries: 3, timeout: 60s, price: { input: 0.25, output: 2.00 } } }
`,
  "prompts/talk.prompt": "---\ninput: { schema: { text: string } }\n---\nTalk about {{text}}\n",
  "flows/twice.yaml": `input: { text: string }
steps:
  - { id: one, run: talk, with: { text: "\${{ input.text }}" } }
  - { id: two, run: talk, with: { text: "more \${{ input.text }}" } }
`,
};

/** Some 2 s of talking. */
const SLOWLY = { latency: { perToken: "40ms" } };

interface Seen {
  event: RunEvent;
  atMs: number;
}

/** Reads a run's events from one server to their end; what was seen so far can be looked at meanwhile. */
function read(installation: Installation, server: Server, id: string): { seen: Seen[]; done: Promise<void> } {
  const seen: Seen[] = [];
  const client = createClient({ url: server.url, apiKey: installation.adminKey });
  const done = (async () => {
    for await (const event of client.events(id)) seen.push({ event, atMs: performance.now() });
  })();
  return { seen, done };
}

/** What a reader has of each step's text, attempt by attempt; every piece must go on where the one before ended. */
function textsOf(seen: readonly Seen[]): Map<string, string[]> {
  const texts = new Map<string, string[]>();
  let attempts = new Map<string, number>();
  const finished = new Set<string>();
  for (const { event } of seen) {
    if (event.type === "step-finished") finished.add(event.step.path);
    if (event.type === "text-restarted") attempts = new Map([...attempts].filter(([path]) => path !== event.path));
    if (event.type !== "text-delta") continue;
    expect(finished).not.toContain(event.path);
    const told = texts.get(event.path) ?? [];
    if (attempts.get(event.path) === event.attempt) told[told.length - 1] += event.text;
    else told.push(event.text);
    expect(told.at(-1)!.length).toBe(event.offset + event.text.length);
    attempts.set(event.path, event.attempt);
    texts.set(event.path, told);
  }
  return texts;
}

const textArrives = (seen: readonly Seen[], path: string) =>
  until(() => seen.some(({ event }) => event.type === "text-delta" && event.path === path), { what: "text arrives" });

async function submit(installation: Installation, flow: string, options: object = {}): Promise<string> {
  const response = await installation.request("POST", `/v1/flows/${flow}/runs`, { body: { input: { text: "life" }, ...options } });
  expect(response.status).toBe(202);
  return ((await response.json()) as { id: string }).id;
}

describe("text of a run", { timeout: 120_000 }, () => {
  test("reaches readers at every API process while a worker elsewhere writes it, in order, whole and soon", async ({ install }) => {
    const installation = await install({ database: "postgres", files: FILES, script: { ...SLOWLY, rules: [{ answer: ANSWER }] } });
    const first = await installation.startServer({ role: "api" });
    const second = await installation.startServer({ role: "api" });
    await installation.startServer({ role: "worker" });
    await installation.startServer({ role: "worker" });
    await installation.deploy();
    const id = await submit(installation, "twice", { stream: true });
    const readers = [read(installation, first, id), read(installation, second, id), read(installation, second, id)];
    // One that comes while the first answer is written is given what there is of it.
    await textArrives(readers[0]!.seen, "one");
    readers.push(read(installation, first, id));
    await Promise.all(readers.map((reader) => reader.done));
    for (const { seen } of readers) {
      expect(textsOf(seen)).toEqual(
        new Map([
          ["one", [ANSWER]],
          ["two", [ANSWER]],
        ]),
      );
      const finished = seen.filter(({ event }) => event.type === "step-finished");
      expect(finished.map(({ event }) => event.type === "step-finished" && event.step.output)).toEqual([ANSWER, ANSWER]);
    }
    // Spread over the time of writing, not in one piece at its end.
    const pieces = readers[0]!.seen.filter(({ event }) => event.type === "text-delta" && event.path === "one");
    expect(pieces.length).toBeGreaterThan(5);
    expect(pieces.at(-1)!.atMs - pieces[0]!.atMs).toBeGreaterThan(1_000);
  });

  test("begins again when the worker that writes it is killed, and ends as the run does", async ({ install }) => {
    const script: Json = { rules: [{ when: { nth: 1 }, answer: ANSWER, error: { stallAfter: 20 } }, { answer: ANSWER }] };
    const installation = await install({ database: "postgres", files: FILES, script });
    const api = await installation.startServer({ role: "api" });
    const workers = [await installation.startServer({ role: "worker" })];
    await installation.deploy();
    const id = await submit(installation, "talk", { stream: true });
    const reader = read(installation, api, id);
    await textArrives(reader.seen, "talk");
    await workers[0]!.kill();
    await installation.startServer({ role: "worker" });
    await reader.done;
    const run = await installation.run(id);
    expect(run).toMatchObject({ status: "succeeded", output: ANSWER });
    const [broken, whole, ...more] = textsOf(reader.seen).get("talk")!;
    expect(more).toEqual([]);
    expect(broken!.length).toBeGreaterThan(0);
    expect(ANSWER.startsWith(broken!)).toBe(true);
    expect(whole).toBe(ANSWER);
    expect(reader.seen.filter(({ event }) => event.type === "text-restarted").map(({ event }) => event)).toEqual([
      { type: "text-restarted", path: "talk", attempt: 2 },
    ]);
  });

  test("begins again when the stream of its model breaks", async ({ install }) => {
    const script: Json = {
      latency: { perToken: "20ms" },
      rules: [{ when: { nth: 1 }, answer: ANSWER, error: { cutAfter: 20 } }, { answer: ANSWER }],
    };
    const installation = await install({ database: "postgres", files: FILES, script });
    const api = await installation.startServer({ role: "api" });
    await installation.startServer({ role: "worker" });
    await installation.deploy();
    const id = await submit(installation, "talk", { stream: true });
    const reader = read(installation, api, id);
    await reader.done;
    const texts = textsOf(reader.seen).get("talk")!;
    expect(texts).toHaveLength(2);
    expect(texts[1]).toBe(ANSWER);
  });

  test("is whole also after every connection to the database was cut while it was written", async ({ install }) => {
    const installation = await install({ database: "postgres", files: FILES, script: { ...SLOWLY, rules: [{ answer: ANSWER }] } });
    const api = await installation.startServer({ role: "api" });
    await installation.startServer({ role: "worker" });
    await installation.deploy();
    const id = await submit(installation, "talk", { stream: true });
    const reader = read(installation, api, id);
    await textArrives(reader.seen, "talk");
    const before = reader.seen.length;
    const client = new pg.Client({ connectionString: installation.databaseUrl! });
    await client.connect();
    await client.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    await client.end();
    await reader.done;
    expect(textsOf(reader.seen).get("talk")).toEqual([ANSWER]);
    expect(reader.seen.slice(before).filter(({ event }) => event.type === "text-delta")).not.toEqual([]);
  });

  test("is not streamed by the model when nobody reads it", async ({ install }) => {
    const installation = await install({ database: "postgres", files: FILES, script: { rules: [{ answer: ANSWER }] } });
    await installation.startServer({ role: "api" });
    await installation.startServer({ role: "worker" });
    await installation.deploy();
    const unread = await submit(installation, "talk");
    await installation.ended(unread);
    const read = await submit(installation, "talk", { stream: true });
    await installation.ended(read);
    const first = (id: string) => installation.steps(id).then((steps) => steps[0]!.attempts[0]!.timeToFirstTokenMs);
    expect(await first(unread)).toBeNull();
    expect(await first(read)).toEqual(expect.any(Number));
  });
});
