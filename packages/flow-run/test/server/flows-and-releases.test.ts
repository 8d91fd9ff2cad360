import { deployResultSchema, flowListSchema, flowSchema, type JsonObject, releaseDetailSchema, releaseListSchema } from "@flow-run/spec";
import { describe, expect, test } from "vitest";
import { rawRequest } from "./raw-request.ts";
import { sealed, testBundle } from "./test-bundle.ts";
import { ADMIN_KEY, codeOf, startRun, startServer } from "./test-server.ts";

describe("flows", () => {
  test("are listed by name with their kind, schemas, release and hash", async () => {
    const server = await startServer();
    const answer = await server.call("GET", "/v1/flows");
    expect(flowListSchema.parse(answer.json)).toEqual(answer.json);
    expect(answer.json.flows.map((flow: { name: string }) => flow.name)).toEqual(["echo", "reply", "triage"]);
    const triage = await server.call("GET", "/v1/flows/triage");
    expect(flowSchema.parse(triage.json)).toEqual(triage.json);
    expect(triage.json).toMatchObject({ kind: "task", description: "Triage a ticket", release: 1, input: { required: ["ticket"] } });
    expect((await server.call("GET", "/v1/flows/echo")).json).toMatchObject({ input: true, output: { type: "string" }, description: null });
    expect(triage.text).not.toContain("{{ticket}}");
  });

  test("tell their schedule and when it is due next, null in a dev that keeps none", async () => {
    const bundle = testBundle();
    const reply = (bundle.flows as JsonObject).reply as JsonObject;
    reply.schedule = { cron: "0 9 * * *", timezone: "Europe/Berlin", input: { ticket: "x" } };
    for (const keepsSchedules of [true, false]) {
      const server = await startServer({ deployed: false, keepsSchedules });
      await server.call("POST", "/v1/releases", { body: { bundle: sealed(bundle) } });
      const { json } = await server.call("GET", "/v1/flows/reply");
      expect(flowSchema.parse(json)).toEqual(json);
      const { nextTickAt, ...schedule } = json.schedule;
      expect(schedule).toEqual(reply.schedule);
      if (!keepsSchedules) expect(nextTickAt).toBeNull();
      else {
        expect(nextTickAt).toMatch(/T0[78]:00:00\.000Z$/);
        expect(Date.parse(nextTickAt) - Date.now()).toBeLessThanOrEqual(25 * 3_600_000);
      }
      expect((await server.call("GET", "/v1/flows/triage")).json.schedule).toBeNull();
    }
  });

  test("that do not exist are not found, also before the first deploy", async () => {
    const server = await startServer();
    expect(codeOf(await server.call("GET", "/v1/flows/replyy"))).toBe("flow-not-found");
    const answer = await server.call("GET", "/v1/flows/reply", { environment: "prod" });
    expect(answer.json.detail).toContain("flow-run deploy --env prod");
  });
});

describe("deploying", () => {
  test("makes a bundle the next release and the current one; the same again changes nothing", async () => {
    const server = await startServer({ deployed: false });
    const body = { bundle: testBundle(), author: "ada", message: "first", commit: "abc123" };
    const first = await server.call("POST", "/v1/releases", { body });
    expect(first.status).toBe(201);
    expect(deployResultSchema.parse(first.json)).toEqual(first.json);
    expect(first.json).toEqual({
      environment: "dev",
      release: 1,
      previousRelease: null,
      changed: true,
      hash: body.bundle.hash,
      missingSecrets: [],
    });
    expect(first.headers.get("location")).toBe("/v1/releases/1");
    const again = await server.call("POST", "/v1/releases", { body });
    expect(again.status).toBe(200);
    expect(again.json).toMatchObject({ release: 1, previousRelease: 1, changed: false });
    const second = await server.call("POST", "/v1/releases", { body: { bundle: testBundle({ project: "next" }) } });
    expect(second.json).toMatchObject({ release: 2, previousRelease: 1, changed: true });
    const list = await server.call("GET", "/v1/releases");
    expect(releaseListSchema.parse(list.json)).toEqual(list.json);
    expect(list.json.releases).toMatchObject([
      { number: 2, current: true },
      { number: 1, current: false, author: "ada", message: "first", commit: "abc123" },
    ]);
    const detail = await server.call("GET", "/v1/releases/2");
    expect(releaseDetailSchema.parse(detail.json)).toEqual(detail.json);
    expect(detail.json).toMatchObject({ project: "next", languageVersion: 1 });
    expect(detail.json.flows).toHaveLength(3);
    for (const number of ["3", "0", "-1", "1e0", "x", "99999999999"]) {
      expect(codeOf(await server.call("GET", `/v1/releases/${number}`))).toBe("release-not-found");
    }
  });

  test("takes effect for the next run, while earlier runs keep their release", async () => {
    const server = await startServer();
    const before = await startRun(server, { flow: "echo" });
    await server.call("POST", "/v1/releases", { body: { bundle: testBundle({ project: "next" }) } });
    const after = await startRun(server, { flow: "echo" });
    expect((await server.call("GET", `/v1/runs/${before}`)).json.release).toBe(1);
    expect((await server.call("GET", `/v1/runs/${after}`)).json.release).toBe(2);
  });

  test("from a plan that is out of date is refused", async () => {
    const server = await startServer();
    const bundle = testBundle({ project: "next" });
    for (const expectedCurrent of [null, 2]) {
      const answer = await server.call("POST", "/v1/releases", { body: { bundle, expectedCurrent } });
      expect(answer.status).toBe(409);
      expect(codeOf(answer)).toBe("stale-plan");
    }
    expect((await server.call("POST", "/v1/releases", { body: { bundle, expectedCurrent: 1 } })).status).toBe(201);
  });

  test("names the secrets that are missing before a run needs them, and only those that flows reach", async () => {
    const secrets: Record<string, string> = {};
    const server = await startServer({ deployed: false, secrets: (name) => secrets[name] });
    const provider = (secret: string) => ({ type: "openai", settings: { apiKey: `\${{ secrets.${secret} }}` }, secrets: [secret] });
    const bundle = testBundle({
      providers: {
        sim: provider("SIM_KEY"),
        other: provider("OTHER_KEY"),
        fallback: provider("FALLBACK_KEY"),
        unused: provider("UNUSED_KEY"),
      },
      models: {
        fast: { targets: [{ provider: "sim", model: "m" }], timeoutMs: 1, retries: 0, limits: {} },
        unused: { targets: [{ provider: "unused", model: "m" }], timeoutMs: 1, retries: 0, limits: {} },
      },
      environments: {
        prod: {
          vars: {},
          models: {
            fast: {
              targets: [
                { provider: "other", model: "m" },
                { provider: "fallback", model: "m" },
              ],
              timeoutMs: 1,
              retries: 0,
              limits: {},
            },
          },
        },
      },
    });
    const dev = await server.call("POST", "/v1/releases", { body: { bundle } });
    expect(dev.json).toMatchObject({ changed: true, missingSecrets: ["SIM_KEY"] });
    const prod = await server.call("POST", "/v1/releases", { body: { bundle }, environment: "prod" });
    expect(prod.json.missingSecrets).toEqual(["FALLBACK_KEY", "OTHER_KEY"]);
    secrets.OTHER_KEY = secrets.FALLBACK_KEY = "x";
    expect((await server.call("POST", "/v1/releases", { body: { bundle }, environment: "prod" })).json.missingSecrets).toEqual([]);
  });

  const flows = testBundle().flows as Record<string, Record<string, unknown>>;
  const scheduled = (cron: string, timezone: string) => {
    const echo = { ...flows.reply, name: "echo", steps: [], schedule: { cron, timezone, input: {} } };
    return sealed({ ...testBundle(), flows: { echo } } as never);
  };
  test.each([
    ["changed after it was compiled", { ...testBundle(), project: "changed" }, /not what its hash says/],
    ["of a newer language", sealed({ ...testBundle(), languageVersion: 2 }), /language version 2.*Update the server/],
    ["of a language that never was", sealed({ ...testBundle(), languageVersion: 0 }), /language version 0/],
    ["empty", {}, /shape/],
    ["with a flow of an unknown kind", { ...testBundle(), flows: { x: { ...flows.echo!, kind: "script" } } }, /shape/],
    ["with a step that runs nothing known", sealed({ ...testBundle(), flows: { reply: flows.reply } } as never), /"reply" runs "triage"/],
    ["with a flow under another name", sealed({ ...testBundle(), flows: { other: flows.echo } } as never), /calls itself "echo"/],
    ["with a schedule that never comes", scheduled("0 0 30 2 *", "UTC"), /schedule of "echo"/],
    ["with a time zone that nobody knows", scheduled("@daily", "Mars/Base"), /"Mars\/Base", which this server does not know/],
    ["with a model of an unknown provider", sealed({ ...testBundle(), providers: {} }), /provider "sim"/],
  ])("refuses a bundle that is %s", async (_, bundle, reason) => {
    const server = await startServer({ deployed: false });
    const answer = await server.call("POST", "/v1/releases", { body: { bundle } });
    expect(codeOf(answer)).toBe("invalid-bundle");
    expect(answer.json.detail).toMatch(reason);
    expect(server.store.calls.deploy).toBeUndefined();
  });

  test("takes bundles far larger than other bodies, up to a limit", async () => {
    const server = await startServer({ deployed: false });
    const big = testBundle({ project: "big" });
    const echo = (big.flows as Record<string, { template: string }>).echo!;
    echo.template = "x".repeat(5_000_000);
    expect((await server.call("POST", "/v1/releases", { body: { bundle: sealed(big) } })).status).toBe(201);
    const head = `POST /v1/releases HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ADMIN_KEY}\r\ncontent-type: application/json\r\n`;
    expect(await rawRequest(server, `${head}content-length: ${32 * 1024 * 1024 + 1}\r\n\r\n`)).toContain("problems/payload-too-large");
  });
});
