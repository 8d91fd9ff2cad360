import { once } from "node:events";
import fs from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { type DatabaseKind, type Installation, test } from "../support/installation.ts";

/** A server's http steps: repeated after a crash with the key of before, recorded once, and nowhere a secret. */

const CANARY = "CANARY-7d1f0c2e";
const ALLOWED = { FLOW_RUN_ALLOW_PRIVATE_NETWORK: "1", HTTP_CANARY: CANARY, LOG_LEVEL: "trace" };

for (const database of ["postgres", "pglite"] as const satisfies readonly DatabaseKind[]) {
  describe.concurrent(`http steps on ${database === "postgres" ? "PostgreSQL" : "the embedded database"}`, { timeout: 180_000 }, () => {
    const received: { url: string; headers: IncomingHttpHeaders; body: string }[] = [];
    const receiver = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      received.push({ url: request.url!, headers: request.headers, body });
      const status = request.url!.startsWith("/refuse") ? 403 : 200;
      response
        .writeHead(status, { "content-type": "application/json" })
        .end(JSON.stringify({ sent: [request.headers.authorization, body] }));
    });
    let origin = "";
    beforeAll(async () => {
      receiver.listen(0, "127.0.0.1");
      await once(receiver, "listening");
      origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    });
    afterAll(() => {
      receiver.closeAllConnections();
      receiver.close();
    });

    /** What this test's workflow has sent so far. */
    const sentTo = (route: string) => received.filter((request) => request.url === route);

    const files = (route: string) => ({
      "flow-run.yaml": "name: notes\n",
      "flows/note.yaml": `input: { text: string }
steps:
  - id: file
    http:
      method: POST
      url: "${origin}${route}"
      headers: { Authorization: "Bearer \${{ secrets.HTTP_CANARY }}" }
      body: { text: "\${{ input.text }}", key: "\${{ secrets.HTTP_CANARY }}" }
  - { id: after, set: { sent: "\${{ steps.file.output.body.sent }}" } }
output: "\${{ steps.after.output }}"
`,
    });

    async function died(server: Awaited<ReturnType<Installation["startServer"]>>): Promise<void> {
      expect(await server.ended).toEqual({ code: null, signal: "SIGKILL" });
    }

    test("a server that dies with the answer received and not recorded makes the request again, with the same Idempotency-Key", async ({
      install,
    }) => {
      const installation = await install({ database, files: files("/before") });
      const server = await installation.startServer({ env: { ...ALLOWED, FLOW_RUN_TEST_FAULT: "before-record:kill" } });
      await installation.deploy();
      const id = await installation.submit("the-key", { text: "hi" }, "note");
      await died(server);
      expect(sentTo("/before")).toHaveLength(1);

      await installation.startServer({ env: ALLOWED });
      expect(await installation.ended(id)).toMatchObject({ status: "succeeded" });
      const keys = sentTo("/before").map((request) => request.headers["idempotency-key"]);
      expect(keys).toEqual([`${id}:file`, `${id}:file`]);
      expect((await installation.steps(id)).map((step) => [step.path, step.status])).toEqual([
        ["file", "succeeded"],
        ["after", "succeeded"],
      ]);
    });

    test("a server that dies with the answer recorded does not make the request again", async ({ install }) => {
      const installation = await install({ database, files: files("/after") });
      const server = await installation.startServer({ env: { ...ALLOWED, FLOW_RUN_TEST_FAULT: "after-record:kill" } });
      await installation.deploy();
      const id = await installation.submit("the-key", { text: "hi" }, "note");
      await died(server);

      await installation.startServer({ env: ALLOWED });
      expect(await installation.ended(id)).toMatchObject({ status: "succeeded" });
      expect(sentTo("/after")).toHaveLength(1);
    });

    test("a secret is sent, and is neither in the answers of the API, nor in the database, nor in the log", async ({ install }) => {
      const installation = await install({ database, files: files("/accept") });
      const server = await installation.startServer({ env: ALLOWED });
      await installation.deploy();
      const accepted = await installation.submit("accepted", { text: "hi" }, "note");
      const run = await installation.ended(accepted);
      expect(run).toMatchObject({ status: "succeeded", output: { sent: ["Bearer ***", '{"text":"hi","key":"***"}'] } });
      installation.writeProject(files("/refuse"));
      await installation.deploy();
      const refused = await installation.submit("refused", { text: "hi" }, "note");
      expect(await installation.ended(refused)).toMatchObject({ status: "failed", error: { code: "http-error", step: "file" } });
      for (const request of [...sentTo("/accept"), ...sentTo("/refuse")]) {
        expect(request.headers.authorization).toBe(`Bearer ${CANARY}`);
        expect(JSON.parse(request.body)).toEqual({ text: "hi", key: CANARY });
      }

      const told = JSON.stringify([await installation.allRuns(), await installation.steps(accepted), await installation.steps(refused)]);
      expect(told).toContain("***");
      await server.kill();
      const kept = installation.databaseUrl ? await contentsOf(installation.databaseUrl) : bytesIn(installation.dataDir);
      // What is looked through holds the run indeed.
      expect(kept.includes(accepted)).toBe(true);
      for (const text of [told, server.stdout(), server.stderr(), kept]) expect(text.includes(CANARY)).toBe(false);
    });

    test("a server reaches no private network unless its operator allows it", async ({ install }) => {
      const installation = await install({ database, files: files("/forbidden") });
      await installation.startServer({ env: { HTTP_CANARY: CANARY } });
      await installation.deploy();
      const id = await installation.submit("the-key", { text: "hi" }, "note");
      expect(await installation.ended(id)).toMatchObject({ status: "failed", error: { code: "address-not-allowed", step: "file" } });
      expect(sentTo("/forbidden")).toEqual([]);
    });
  });
}

/** All rows of all tables, as text. */
async function contentsOf(databaseUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    let text = "";
    for (const { name } of tables.rows)
      text += (await client.query(`select t::text as row from ${name} t`)).rows.map(({ row }) => row).join("\n");
    return text;
  } finally {
    await client.end();
  }
}

/** All files of a directory, byte for byte. */
function bytesIn(directory: string): string {
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}
