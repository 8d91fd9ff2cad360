// Restate: its server beside this process, which serves the handler and is the client. Each step is one `ctx.run`.
// Settings: 2 partitions (of 1, 2, 4 and the default 24 the fastest on two cores), room for many invocations, no log.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as restate from "@restatedev/restate-sdk";
import { Pool } from "undici";
import { contest } from "./contestant.ts";

await contest(async (order, call) => {
  const w3 = restate.service({
    name: "w3",
    handlers: {
      run: async (context: { run(name: string, action: () => Promise<string>): Promise<string> }, text: string) => {
        const one = await context.run("one", () => call(text));
        const two = await context.run("two", () => call(one));
        return context.run("three", () => call(two));
      },
    },
  });
  const { endpoint, ingress, admin, node } = await ports(order.directory);
  await restate.serve({ services: [w3], port: endpoint, logger: () => {} });
  const server = spawn(binary(), ["--no-logo", "--base-dir", order.directory, "--bind-ip", "127.0.0.1", "--listen-mode", "tcp"], {
    cwd: order.directory,
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      RESTATE_LOG_FILTER: "error",
      RESTATE_DISABLE_TELEMETRY: "true",
      RESTATE_NODE_NAME: "bench",
      RESTATE_BIND_PORT: String(node),
      RESTATE_INGRESS__BIND_PORT: String(ingress),
      RESTATE_ADMIN__BIND_PORT: String(admin),
      RESTATE_DEFAULT_NUM_PARTITIONS: "2",
      RESTATE_WORKER__INVOKER__CONCURRENT_INVOCATIONS_LIMIT: "5000",
    },
  });
  await register(`http://127.0.0.1:${admin}`, `http://127.0.0.1:${endpoint}`);
  const pool = new Pool(`http://127.0.0.1:${ingress}`, { connections: Math.max(...order.concurrencies), pipelining: 1, headersTimeout: 0 });
  const invoke = async (text: string, key?: string): Promise<string> => {
    const { statusCode, body } = await pool.request({
      path: "/w3/run",
      method: "POST",
      headers: { "content-type": "application/json", ...(key === undefined ? {} : { "idempotency-key": key }) },
      body: JSON.stringify(text),
    });
    if (statusCode !== 200) throw new Error(`restate answered ${statusCode} ${await body.text()}`);
    return (await body.json()) as string;
  };
  const keyed = order.task !== "measure";
  return {
    serverPid: server.pid,
    run: (id, text) => invoke(text, keyed ? id : undefined),
    // The same key meets the invocation that is there already.
    resume: (ids) => Promise.all(ids.map((id, index) => invoke(`question ${index}`, id))),
    async close() {
      const ended = once(server, "exit");
      server.kill("SIGKILL");
      await ended;
    },
  };
});

/** Tells the server where the handler is. Answers once the server is up. */
async function register(admin: string, endpoint: string): Promise<void> {
  for (const until = Date.now() + 60_000; ; await sleep(100)) {
    const answer = await fetch(`${admin}/deployments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ uri: endpoint, force: true }),
    }).catch(() => null);
    if (answer?.ok) return;
    if (Date.now() > until) throw new Error(`restate-server did not take the handler: ${answer ? await answer.text() : "no answer"}`);
  }
}

function binary(): string {
  return createRequire(import.meta.url).resolve(`@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`);
}

/** The same ones after a restart: invocations under way know the handler by its address. */
async function ports(directory: string): Promise<{ endpoint: number; ingress: number; admin: number; node: number }> {
  const file = join(directory, "bench-ports.json");
  if (!existsSync(file)) {
    const chosen = { endpoint: await freePort(), ingress: await freePort(), admin: await freePort(), node: await freePort() };
    writeFileSync(file, JSON.stringify(chosen));
  }
  return JSON.parse(readFileSync(file, "utf8"));
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}
