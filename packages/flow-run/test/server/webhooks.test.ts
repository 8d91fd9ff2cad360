import { webhookDeliveryDetailSchema, webhookDeliveryListSchema, webhookSecretSchema } from "@flow-run/spec";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createOutbound } from "../../src/outbound/index.ts";
import type { Database } from "../../src/store/database/index.ts";
import { openStore, type Store } from "../../src/store/index.ts";
import { systemClock } from "../../src/system-clock.ts";
import { createWebhooks, type Webhooks, type WebhooksOptions } from "../../src/webhooks/index.ts";
import { describeEachDatabase } from "../support/describe-each-database.ts";
import { startReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";
import { testBundle } from "./test-bundle.ts";
import { ADMIN_KEY, type CallOptions, codeOf, startServer, type TestServer } from "./test-server.ts";

const START = "/v1/flows/echo/runs";

describeEachDatabase("webhooks over HTTP", (open) => {
  let database: Database;
  let store: Store;
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    database = await open();
    store = await openStore({ database });
    receiver = await startReceiver();
    const bundle = testBundle();
    await store.deploy({ environment: "dev", bundle, hash: bundle.hash as string, author: null, message: null, commit: null });
  });
  afterAll(async () => {
    await receiver.close();
    await store.close();
  });

  const webhooksWith = (over: Partial<WebhooksOptions> = {}): Webhooks =>
    createWebhooks({
      store,
      keys: [ADMIN_KEY],
      allowPrivateNetwork: true,
      clock: systemClock(),
      random: () => 0,
      onTrouble: () => {},
      ...over,
    });
  const start = (webhooks: Webhooks | undefined = webhooksWith()): Promise<TestServer<Store>> =>
    startServer({ store, deployed: false, webhooks });
  const run = (server: TestServer<Store>, webhook: unknown, options: CallOptions = {}) =>
    server.call("POST", START, { body: { input: { text: "x" }, webhook }, ...options });

  test("the end of a run is announced, verified by its receiver, listed, shown and replayed", async () => {
    const webhooks = webhooksWith({ publicUrl: "https://flows.example.com/" });
    const server = await start(webhooks);
    const outbound = createOutbound({ allowPrivateNetwork: true });
    const deliveries = webhooks.deliver(outbound);
    onTestFinished(async () => {
      await deliveries.drain(0);
      await outbound.close();
    });
    const accepted = await run(server, `${receiver.url}/announced#part`);
    expect(accepted.status).toBe(202);
    const { id } = accepted.json;
    await server.call("POST", `/v1/runs/${id}/cancel`);
    const [message] = await receiver.received("/announced", 1);
    const { json: secret } = await server.call("GET", "/v1/webhooks/secret");
    expect(webhookSecretSchema.parse(secret)).toEqual(secret);
    expect(new Webhook(secret.secret).verify(message!.body, message!.headers)).toMatchObject({
      type: "run.cancelled",
      data: { id, url: `https://flows.example.com/v1/runs/${id}` },
    });
    const { json: list } = await server.call("GET", `/v1/webhooks/deliveries?run=${id}`);
    expect(webhookDeliveryListSchema.parse(list)).toEqual(list);
    expect(list.deliveries).toMatchObject([{ id: `msg_${id}`, run: id, url: `${receiver.url}/announced` }]);
    const replayed = await server.call("POST", `/v1/webhooks/deliveries/msg_${id}/replay`);
    expect(replayed.status).toBe(202);
    const range = await server.call("POST", "/v1/webhooks/deliveries/replay", { body: { from: "2020-01-01T00:00:00Z" } });
    expect([range.status, range.json]).toEqual([202, { replayed: 0 }]);
    const { json: shown } = await server.call("GET", `/v1/webhooks/deliveries/msg_${id}`);
    expect(webhookDeliveryDetailSchema.parse(shown)).toEqual(shown);
    expect(shown.attempts[0]).toMatchObject({ number: 1 });
    expect((await server.call("GET", "/metrics")).text).toMatch(/flowrun_webhook_deliveries_total\{outcome="delivered"\} [12]\n/);
  });

  test("a secret that was rotated signs beside the new one", async () => {
    const webhooks = webhooksWith();
    const server = await start(webhooks);
    const { json: before } = await server.call("GET", "/v1/webhooks/secret");
    const rotated = await server.call("POST", "/v1/webhooks/secret/rotate");
    expect(rotated.headers.get("cache-control")).toBe("no-store");
    expect(rotated.json).toMatchObject({ previous: { secret: before.secret } });
    expect(Date.parse(rotated.json.previous.validUntil) - Date.now()).toBeGreaterThan(23.9 * 3_600_000);
    expect(rotated.json.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(rotated.json.secret).not.toBe(before.secret);
    const outbound = createOutbound({ allowPrivateNetwork: true });
    const deliveries = webhooks.deliver(outbound);
    onTestFinished(async () => {
      await deliveries.drain(0);
      await outbound.close();
    });
    const { json } = await run(server, `${receiver.url}/rotated`);
    await server.call("POST", `/v1/runs/${json.id}/cancel`);
    const [message] = await receiver.received("/rotated", 1);
    for (const secret of [before.secret, rotated.json.secret]) {
      expect(new Webhook(secret).verify(message!.body, message!.headers)).toMatchObject({ data: { id: json.id } });
    }
    expect(server.log()).not.toContain("whsec_");
    const stored = JSON.stringify(await database.query("SELECT * FROM flow_run.webhook_secret"));
    for (const secret of [before.secret, rotated.json.secret]) expect(stored).not.toContain(secret.slice(6));
  });

  test("environments have secrets of their own, and see no deliveries of others", async () => {
    const server = await start();
    const { json } = await run(server, "https://example.com/");
    await server.call("POST", `/v1/runs/${json.id}/cancel`);
    const secrets = await Promise.all(["dev", "prod"].map((environment) => server.call("GET", "/v1/webhooks/secret", { environment })));
    expect(secrets[0]!.json.secret).not.toBe(secrets[1]!.json.secret);
    const path = `/v1/webhooks/deliveries/msg_${json.id}`;
    expect((await server.call("GET", path)).status).toBe(200);
    for (const [method, at] of [
      ["GET", path],
      ["POST", `${path}/replay`],
      ["GET", "/v1/webhooks/deliveries/..%00"],
    ] as const)
      expect(codeOf(await server.call(method, at, { environment: "prod" }))).toBe("delivery-not-found");
    expect((await server.call("GET", "/v1/webhooks/deliveries", { environment: "prod" })).json).toEqual({
      deliveries: [],
      nextCursor: null,
    });
  });

  test("a URL to which nothing can be sent is refused before the run is accepted", async () => {
    const server = await start(webhooksWith({ allowPrivateNetwork: false }));
    const refused = [
      ...[
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://0/",
        "http://①②⑦.⓪.⓪.①/",
      ],
      ...[
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:7f00:1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[fe80::1]/",
        "http://[fd00::1]/",
      ],
      ...["http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "http://192.168.1.1/", "http://100.64.0.1/", "http:/\\127.0.0.1/"],
      ...["file:///etc/passwd", "data:,x", "gopher://example.com/", "ftp://example.com/", "unix:/run/x.sock", "not a url", "/path"],
      ...[
        "http://a@127.0.0.1/",
        "https://user:password@example.com/",
        "http://example.com:22/",
        "http://example.com:5432/",
        "http://example.com:6379/",
      ],
    ];
    for (const url of refused) {
      for (const webhook of [url, { url }]) {
        const answer = await run(server, webhook);
        expect([url, answer.status, codeOf(answer)]).toEqual([url, 422, "invalid-input"]);
        expect(answer.json.errors).toMatchObject([{ pointer: "/webhook" }]);
      }
    }
    for (const webhook of ["", 1, null, [], {}, { url: "https://example.com/", secret: "x" }, `https://example.com/${"x".repeat(2_100)}`])
      expect(codeOf(await run(server, webhook))).toBe("invalid-input");
    // Within 2,048 characters as it is written, and beyond as it is stored.
    expect(codeOf(await run(server, `https://example.com/${"é".repeat(1_000)}`))).toBe("invalid-input");
    expect((await run(server, "https://example.com/hook?x=%00")).status).toBe(202);
  });

  test("the operator can allow private networks", async () => {
    expect((await run(await start(), "http://10.0.0.1/")).status).toBe(202);
  });

  test("the same key with the same webhook is the same run, with another webhook it is refused", async () => {
    const server = await start();
    const headers = { "idempotency-key": "with-webhook" };
    const first = await run(server, "https://example.com/a", { headers });
    expect((await run(server, { url: "https://example.com/a", includeOutput: false }, { headers })).text).toBe(first.text);
    for (const other of ["https://example.com/b", { url: "https://example.com/a", includeOutput: true }, undefined])
      expect(codeOf(await run(server, other, { headers }))).toBe("idempotency-key-reused");
    // A server that would refuse the webhook today still answers for the run that it accepted.
    expect((await run(await start(webhooksWith({ allowPrivateNetwork: false })), "https://example.com/a", { headers })).text).toBe(
      first.text,
    );
  });

  test("without a key to encrypt secrets with, webhooks are refused and other runs accepted", async () => {
    const server = await start(webhooksWith({ keys: [] }));
    const answer = await run(server, "https://example.com/");
    expect([answer.status, codeOf(answer)]).toEqual([409, "webhooks-not-configured"]);
    expect(answer.json.detail).toContain("FLOW_RUN_ENCRYPTION_KEY");
    expect(codeOf(await server.call("GET", "/v1/webhooks/secret"))).toBe("webhooks-not-configured");
    expect((await run(server, undefined)).status).toBe(202);
  });

  test("a secret whose key is gone is named, and mended by a rotation", async () => {
    const environment = "lost-key";
    await (await start()).call("GET", "/v1/webhooks/secret", { environment });
    const server = await start(webhooksWith({ keys: ["another"] }));
    const lost = await server.call("GET", "/v1/webhooks/secret", { environment });
    expect(codeOf(lost)).toBe("webhooks-not-configured");
    expect(lost.json.detail).toContain("rotate");
    const rotated = await server.call("POST", "/v1/webhooks/secret/rotate", { environment });
    expect(rotated.json).toMatchObject({ secret: expect.stringMatching(/^whsec_/), previous: null });
  });

  test("needs an admin key for secrets, reads with `read`, replays with `run`", async () => {
    const server = await start();
    const keyWith = async (...scopes: string[]) =>
      (await server.call("POST", "/v1/keys", { body: { name: "k", scopes } })).json.key as string;
    const [reader, runner] = [await keyWith("read"), await keyWith("run")];
    const status = async (key: string, method: string, path: string, body?: unknown) =>
      (await server.call(method, path, { key, body })).status;
    const range = { from: "2020-01-01T00:00:00Z", to: "2020-01-02T00:00:00+01:00" };
    for (const key of [reader, runner]) {
      expect(await status(key, "GET", "/v1/webhooks/secret")).toBe(403);
      expect(await status(key, "POST", "/v1/webhooks/secret/rotate")).toBe(403);
    }
    expect(await status(reader, "GET", "/v1/webhooks/deliveries")).toBe(200);
    expect(await status(reader, "POST", "/v1/webhooks/deliveries/replay", range)).toBe(403);
    expect(await status(runner, "POST", "/v1/webhooks/deliveries/replay", range)).toBe(202);
    expect(await status(runner, "POST", "/v1/webhooks/deliveries/replay", { from: "yesterday" })).toBe(422);
    expect(await status(reader, "GET", "/v1/webhooks/deliveries?status=lost")).toBe(400);
    expect(await status(reader, "GET", "/v1/webhooks/deliveries?cursor=x")).toBe(400);
  });
});
