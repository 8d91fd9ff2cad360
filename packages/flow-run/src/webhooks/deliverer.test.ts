import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import { newRun, submitAndClaim } from "../../test/support/store-fixtures.ts";
import { startReceiver, type WebhookReceiver } from "../../test/support/webhook-receiver.ts";
import { createOutbound } from "../outbound/index.ts";
import type { Database } from "../store/database/index.ts";
import { openStore, type Store } from "../store/index.ts";
import { systemClock } from "../system-clock.ts";
import { Deliverer, type DelivererParts } from "./deliverer.ts";
import { SECRET_PREFIX } from "./sign.ts";

const SECRET = `${SECRET_PREFIX}${Buffer.alloc(32, 7).toString("base64")}`;

describeEachDatabase("delivering webhooks", (open) => {
  let database: Database;
  let store: Store;
  let receiver: WebhookReceiver;
  let running: Deliverer[] = [];
  let outcomes: string[] = [];
  const settled: (() => void)[] = [];

  beforeAll(async () => {
    database = await open();
    store = await openStore({ database });
    receiver = await startReceiver();
  });
  afterEach(async () => {
    await Promise.all(running.map((deliverer) => deliverer.drain(0)));
    running = [];
    outcomes = [];
    await database.query(
      "UPDATE flow_run.webhook_delivery SET status = 'delivered', leased_until = NULL, finished_at = now() WHERE status = 'pending'",
    );
  });
  afterAll(async () => {
    await receiver.close();
    await store.close();
  });

  function start(over: Partial<DelivererParts> & { allowPrivateNetwork?: boolean } = {}): Deliverer {
    const outbound = createOutbound({ allowPrivateNetwork: over.allowPrivateNetwork ?? true });
    const deliverer = new Deliverer({
      store: store.webhooks,
      outbound,
      secretsOf: async () => [SECRET],
      clock: systemClock(),
      random: () => 0,
      publicUrl: "",
      pollMs: 60_000,
      onOutcome: (outcome) => {
        outcomes.push(outcome);
        for (const tell of settled.splice(0)) tell();
      },
      onTrouble: (error) => {
        throw error;
      },
      ...over,
    });
    deliverer.start();
    running.push(deliverer);
    return deliverer;
  }

  /** Ends a run whose webhook is at the path. Returns the delivery's id. */
  async function end(path: string, origin = receiver.url): Promise<string> {
    const { run } = await store.submitRun(newRun({ webhook: { url: `${origin}${path}`, includeOutput: false } }));
    await store.cancelRun("dev", run.id);
    return `msg_${run.id}`;
  }
  async function settledOutcomes(count: number): Promise<string[]> {
    while (outcomes.length < count) await new Promise<void>((resolve) => settled.push(resolve));
    return outcomes;
  }
  /** Lets the database's clock reach the next attempt. */
  async function pass(id: string): Promise<number> {
    const [row] = await database.query<{ seconds: number }>(
      `WITH before AS (SELECT id, next_attempt_at FROM flow_run.webhook_delivery WHERE id = $1)
       UPDATE flow_run.webhook_delivery AS d SET next_attempt_at = now() FROM before AS b WHERE d.id = b.id
       RETURNING extract(epoch FROM b.next_attempt_at - now())::float8 AS seconds`,
      [id],
    );
    await database.query("SELECT pg_notify('flow_run', 'somebody webhook')");
    return row!.seconds;
  }

  it("sends what a receiver can verify, as soon as the run has ended", async () => {
    start();
    const run = await submitAndClaim(store, { webhook: { url: `${receiver.url}/whole?token=a%20b`, includeOutput: true }, tags: ["t"] });
    const journal = store.journal(run);
    journal.appendEnd({ status: "succeeded", output: { text: "Grüße" }, error: null });
    await journal.commit();
    const [message] = await receiver.received("/whole?token=a%20b", 1);
    expect(new Webhook(SECRET).verify(message!.body, message!.headers)).toMatchObject({
      type: "run.succeeded",
      data: { id: run.id, status: "succeeded", output: { text: "Grüße" }, tags: ["t"] },
    });
    expect(message!.headers).toMatchObject({ "webhook-id": `msg_${run.id}`, "content-type": "application/json" });
    expect(await settledOutcomes(1)).toEqual(["delivered"]);
    expect(await store.webhooks.get("dev", `msg_${run.id}`)).toMatchObject({
      status: "delivered",
      attemptCount: 1,
      attempts: [{ number: 1, status: 204, error: null, answer: "" }],
    });
  });

  it("tries again on the schedule, with the same id and a new timestamp, until it is over", async () => {
    let nowMs = Date.now();
    start({ clock: { ...systemClock(), now: () => nowMs } });
    receiver.at("/down", (response) => response.writeHead(500).end(`broken\u0000 ${"x".repeat(10_000)}`));
    const id = await end("/down");
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 10; attempt++) {
      await settledOutcomes(attempt);
      nowMs += 1_000;
      if (attempt < 10) pauses.push(await pass(id));
    }
    const schedule = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeLessThanOrEqual(schedule[index]!);
      expect(pause).toBeGreaterThan(schedule[index]! - 5);
    }
    expect(outcomes).toEqual([...Array(9).fill("failed"), "exhausted"]);
    const messages = await receiver.received("/down", 10);
    expect(new Set(messages.map((message) => message.headers["webhook-id"]))).toEqual(new Set([id]));
    expect(new Set(messages.map((message) => message.body)).size).toBe(1);
    expect(new Set(messages.map((message) => message.headers["webhook-timestamp"])).size).toBe(10);
    const delivery = await store.webhooks.get("dev", id);
    expect(delivery).toMatchObject({ status: "exhausted", attemptCount: 10, nextAttemptAt: null });
    expect(delivery!.attempts[9]).toMatchObject({
      status: 500,
      error: "The endpoint answered 500.",
      answer: expect.stringMatching(/^broken\ufffd x{100}/),
    });
    expect(delivery!.attempts[9]!.answer!.length).toBeLessThanOrEqual(4_096);

    receiver.at("/down", (response) => response.writeHead(200).end());
    await store.webhooks.replay("dev", id);
    expect((await settledOutcomes(11)).at(-1)).toBe("delivered");
    expect((await receiver.received("/down", 11))[10]!.headers["webhook-id"]).toBe(id);
  }, 60_000);

  it("makes the second attempt by itself when its time has come", async () => {
    start({ random: () => 0 });
    receiver.at("/once", (response) => {
      receiver.at("/once", (second) => second.writeHead(200).end());
      response.writeHead(503).end();
    });
    const id = await end("/once");
    const [first, second] = await receiver.received("/once", 2);
    expect(second!.headers["webhook-id"]).toBe(id);
    expect(second!.atMs - first!.atMs).toBeGreaterThanOrEqual(4_900);
    await settledOutcomes(2);
  });

  it("waits as long as Retry-After says", async () => {
    start();
    receiver.at("/busy", (response) => response.writeHead(429, { "retry-after": "3600" }).end());
    const id = await end("/busy");
    await settledOutcomes(1);
    const seconds = await pass(id);
    expect(seconds).toBeGreaterThan(3_590);
    expect(seconds).toBeLessThanOrEqual(3_600);
    await settledOutcomes(2);
  });

  it("takes a redirect for a failure, and does not follow it", async () => {
    start();
    receiver.at("/moved", (response) => response.writeHead(307, { location: `${receiver.url}/target` }).end());
    const id = await end("/moved");
    expect(await settledOutcomes(1)).toEqual(["failed"]);
    expect((await store.webhooks.get("dev", id))!.attempts).toMatchObject([{ status: 307, error: expect.stringContaining("redirect") }]);
    expect(receiver.messages.filter((message) => message.path === "/target")).toEqual([]);
  });

  it("leaves an endpoint alone that has answered 410", async () => {
    start();
    receiver.at("/gone", (response) => response.writeHead(410).end());
    const first = await end("/gone");
    expect(await settledOutcomes(1)).toEqual(["disabled"]);
    const second = await end("/gone");
    await settledOutcomes(2);
    for (const id of [first, second]) expect(await store.webhooks.get("dev", id)).toMatchObject({ status: "disabled" });
    expect(receiver.messages.filter((message) => message.path === "/gone")).toHaveLength(1);
  });

  it("gives up an endpoint that hangs, and one that answers byte by byte, after the time of an attempt", async () => {
    start({ timeoutMs: 400 });
    receiver.at("/hang", () => {});
    receiver.at("/drip", (response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write("a"), 50);
      response.on("close", () => clearInterval(drip));
    });
    const ids = [await end("/hang"), await end("/drip")];
    expect(await settledOutcomes(2)).toEqual(["failed", "failed"]);
    for (const id of ids) {
      const { attempts } = (await store.webhooks.get("dev", id))!;
      expect(attempts).toMatchObject([{ status: null, error: expect.stringContaining("within 400 ms") }]);
      expect(attempts[0]!.durationMs).toBeGreaterThanOrEqual(390);
    }
  });

  it("takes what an endless answer begins with", async () => {
    start();
    receiver.at("/endless", (response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(10_000)));
      };
      response.on("drain", more);
      more();
    });
    const id = await end("/endless");
    expect(await settledOutcomes(1)).toEqual(["delivered"]);
    expect((await store.webhooks.get("dev", id))!.attempts[0]!.answer).toBe("x".repeat(4_096));
  });

  it("does not let endpoints that hang delay others", async () => {
    start({ timeoutMs: 20_000, perEndpoint: 2 });
    receiver.at("/stuck", () => {});
    for (let i = 0; i < 20; i++) await end("/stuck");
    await receiver.received("/stuck", 2);
    for (let i = 0; i < 10; i++) await end("/lively");
    await receiver.received("/lively", 10);
    expect(await settledOutcomes(10)).toEqual(Array(10).fill("delivered"));
    expect(receiver.messages.filter((message) => message.path === "/stuck")).toHaveLength(2);
  });

  it("connects to no address that is not allowed, by whatever name", async () => {
    start({ allowPrivateNetwork: false });
    const ids = [await end("/private"), await end("/private", `http://localhost:${receiver.port}`)];
    expect(await settledOutcomes(2)).toEqual(["failed", "failed"]);
    for (const id of ids) {
      expect((await store.webhooks.get("dev", id))!.attempts).toMatchObject([
        { status: null, error: expect.stringContaining("FLOW_RUN_ALLOW_PRIVATE_NETWORK") },
      ]);
    }
    expect(receiver.messages.filter((message) => message.path === "/private")).toEqual([]);
  });

  it("breaks off what is under way when it is stopped, and another goes on at once without counting it", async () => {
    const deliverer = start();
    receiver.at("/handed-over", () => {});
    const id = await end("/handed-over");
    await receiver.received("/handed-over", 1);
    await deliverer.drain(0);
    receiver.at("/handed-over", (response) => response.writeHead(200).end());
    start();
    const [first, second] = await receiver.received("/handed-over", 2);
    expect(second!.headers["webhook-id"]).toBe(first!.headers["webhook-id"]);
    await settledOutcomes(2);
    expect(await store.webhooks.get("dev", id)).toMatchObject({
      status: "delivered",
      attempts: [{ error: "The server was shut down." }, { status: 200 }],
    });
  });

  it("delivers each once, however many deliver", async () => {
    for (let i = 0; i < 4; i++) start();
    for (let i = 0; i < 40; i++) await end("/shared");
    await settledOutcomes(40);
    const ids = receiver.messages.filter((message) => message.path === "/shared").map((message) => message.headers["webhook-id"]);
    expect(ids).toHaveLength(40);
    expect(new Set(ids).size).toBe(40);
  });
});
