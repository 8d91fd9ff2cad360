import { once } from "node:events";
import fs from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import type { ApiKey, Run } from "@flow-run/spec";
import { describe, expect, it, onTestFinished } from "vitest";
import { flowRun, folderWith, SMALL_PROJECT } from "../support/command-line.ts";
import { startDev } from "../support/dev-server.ts";
import { startProgram } from "../support/program.ts";
import { programFile } from "../support/shared-databases.ts";

/** Where nobody listens. */
async function closedUrl(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return `http://127.0.0.1:${port}`;
}

describe("commands that talk to a server", () => {
  it("run, list, show, watch, cancel and replay runs", async () => {
    const dev = await startDev();
    const ran = await dev.flowRun("run", "both", "what=flaky", "--env", "dev", "--steps");
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('"first"') });
    expect(ran.stderr).toMatch(/^run_\w+ on dev, release 1\n/);
    const { runs } = await dev.json<{ runs: Run[] }>("runs", "list", "--flow", "both");
    const { id } = runs[0]!;

    const [shown, watched, raw, cancelled, replayed] = await Promise.all([
      dev.flowRun("runs", "show", id),
      dev.flowRun("runs", "watch", id),
      dev.json("runs", "show", id),
      dev.flowRun("runs", "cancel", id),
      dev.flowRun("runs", "replay", id),
    ]);
    expect(shown.stdout).toMatch(
      new RegExp(`^${id}  both  dev, release 1, created .*\\nsucceeded · .* · 3 calls · \\d+ \\+ \\d+ tokens · cost unknown`),
    );
    expect(shown.stdout).toMatch(
      /\nfirst +task +succeeded +\+\d+ ms .*\n {2}attempt 1 +failed .*provider-error.*\n {2}attempt 2 +succeeded .*\nsecond +task/,
    );
    expect(watched).toMatchObject({ code: 0, stdout: shown.stdout });
    expect(raw).toMatchObject({
      id,
      status: "succeeded",
      steps: [{ path: "first", attempts: [{ number: 1 }, { number: 2 }] }, { path: "second" }],
    });
    expect(cancelled).toMatchObject({ code: 1, stderr: expect.stringContaining("already ended") });
    expect(replayed.stdout).toMatch(new RegExp(`^run_\\w+ replays ${id} on release 1\\. Follow it: flow-run runs watch run_`));

    const first = await dev.json<{ runs: Run[]; nextCursor: string }>("runs", "list", "--flow", "both", "--limit", "1");
    const next = await dev.json<{ runs: Run[] }>("runs", "list", "--flow", "both", "--limit", "1", "--cursor", first.nextCursor);
    expect([first.runs[0]!.id, next.runs[0]!.id]).toEqual([replayed.stdout.split(" ")[0], id]);

    const [failed, unknown, text] = await Promise.all([
      dev.flowRun("run", "both", "what=refused", "--env", "dev", "--json"),
      dev.flowRun("runs", "show", "run_none"),
      dev.flowRun("run", "say", "what=hello", "--env", "dev"),
    ]);
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject({ status: "failed", error: { step: "first" } });
    expect(unknown).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("flow-run runs list --env dev") });
    expect(text.stdout).toMatch(/^[^\n]*hello[^\n]*\n$/);
    expect((await dev.flowRun("runs", "watch", JSON.parse(failed.stdout).id)).code).toBe(1);
  });

  it("deploy with author and message, list releases and manage keys", async () => {
    const dev = await startDev();
    const same = await dev.flowRun("deploy");
    expect(same).toMatchObject({ code: 0, stdout: "dev already runs this as release 1: nothing to do.\n" });
    fs.writeFileSync(path.join(dev.cwd, "prompts/more.prompt"), "More");
    const deployed = await dev.json("deploy", "--env", "prod", "--message", "more of it");
    expect(deployed).toMatchObject({
      environment: "prod",
      release: 1,
      previousRelease: null,
      changed: true,
      missingSecrets: ["VENDOR_KEY"],
    });
    expect(await dev.json("releases", "list", "--env", "prod")).toMatchObject([
      { number: 1, current: true, message: "more of it", createdAt: expect.any(String) },
    ]);

    const made = await dev.flowRun("keys", "create", "billing", "--scope", "run");
    expect(made).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^frk_\S+\n$/),
      stderr: expect.stringContaining("shown only now"),
    });
    const { keys } = await dev.json<{ keys: ApiKey[] }>("keys", "list");
    expect(keys).toMatchObject([{ name: "billing", scopes: ["run"] }]);
    expect(await dev.json("keys", "revoke", keys[0]!.id)).toEqual({ id: keys[0]!.id, revoked: true });
    expect((await dev.flowRun("keys", "list")).stdout).toContain("revoked");
    const refused = await flowRun(["runs", "list"], { cwd: dev.cwd, env: { FLOW_RUN_URL: dev.url, FLOW_RUN_API_KEY: made.stdout.trim() } });
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("The key in FLOW_RUN_API_KEY is not valid here") });
  });

  it("say which server does not answer, and where its address comes from", async () => {
    const cwd = folderWith(SMALL_PROJECT);
    const url = await closedUrl();
    const [away, unknown, nowhere] = await Promise.all([
      flowRun(["runs", "list"], { cwd, env: { FLOW_RUN_URL: url } }),
      flowRun(["runs", "list"], { cwd }),
      flowRun(["runs", "list"], { cwd: folderWith() }),
    ]);
    expect(away).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`error: No answer from ${url} (ECONNREFUSED)`),
    });
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('The project has no environment "dev".') });
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining("Set FLOW_RUN_URL") });
  });
});

describe("flow-run dev", () => {
  it("prints a call of the project's own flow that works as it stands", async () => {
    const dev = await startDev();
    const line = await dev.program.said(/^ {2}try {3}curl/);
    const [, url, body] = /curl -s (\S+) .* -d '(.*)'$/.exec(line)!;
    expect(url).toBe(`${dev.url}/v1/flows/both/runs`);
    const response = await fetch(url!, { method: "POST", headers: { "content-type": "application/json" }, body: body! });
    expect(response.status).toBe(202);
  });

  it("deploys on save, and keeps the release before when the project has mistakes", async () => {
    const dev = await startDev();
    const file = path.join(dev.cwd, "prompts/say.prompt");
    fs.writeFileSync(file, "Say {{what");
    await dev.program.said(/✗ 1 error: release 1 keeps running\. Mend and save\./);
    expect((await dev.json("run", "say", "what=x", "--env", "dev")).release).toBe(1);
    fs.writeFileSync(file, "Please say {{what}}");
    await dev.program.said(/✓ release 2:/);
    expect((await dev.json("run", "say", "what=x", "--env", "dev")).release).toBe(2);
  });

  it("starts with a project that has mistakes, is refused a folder in use with 75 and a port in use with 2, and stops on Ctrl-C", async () => {
    const broken = { ...SMALL_PROJECT, "prompts/say.prompt": "Say {{what" };
    const dev = await startDev(["--json"], broken);
    expect(JSON.parse(dev.program.stdout())).toMatchObject({ url: dev.url, release: null, flows: [] });
    const [second, port] = await Promise.all([
      flowRun(["dev", "--port", "0", "--json"], { cwd: dev.cwd }),
      flowRun(["dev", "--port", new URL(dev.url).port, "--data-dir", "other"], { cwd: dev.cwd }),
    ]);
    expect(second.code).toBe(75);
    expect(JSON.parse(second.stdout)).toMatchObject({
      error: { code: "data-dir-locked", message: expect.stringContaining(`process ${dev.program.pid}`) },
    });
    expect(port).toMatchObject({ code: 2, stderr: expect.stringContaining("is taken") });
    dev.program.signal("SIGINT");
    expect(await dev.program.ended).toEqual({ code: 0, signal: null });
  });
});

describe("flow-run doctor", () => {
  it("looks at Node, project, secrets, providers, database, server and clock, and says what to do", async () => {
    const dev = await startDev();
    const { checks } = (await dev.json("doctor", "--env", "dev", "--offline")) as {
      checks: { name: string; status: string; detail: string }[];
    };
    expect(checks.map(({ name, status }) => `${name}: ${status}`)).toEqual([
      "node: ok",
      "project: ok",
      "secret VENDOR_KEY: warning",
      "provider sim: ok",
      "provider vendor: ok",
      "database: ok",
      "server of dev: ok",
      "clock: ok",
    ]);
    expect(checks[2]!.detail).toContain("Set the environment variable VENDOR_KEY");
    expect(checks[5]!.detail).toContain(`in use by process ${dev.program.pid}`);
  });

  it("ends with 1 when something is broken", async () => {
    const cwd = folderWith({ "flow-run.yaml": "name: [\n" });
    const { code, stdout } = await flowRun(["doctor", "--env", "dev"], {
      cwd,
      env: { DATABASE_URL: "postgres://127.0.0.1:1/none", FLOW_RUN_URL: await closedUrl() },
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /✗ {2}project .*flow-run validate shows them\n✗ {2}database .*Check DATABASE_URL\.\n✗ {2}server of dev .*ECONNREFUSED/,
    );
  });
});

describe("flow-run schema and simulator", () => {
  it("write the editors' schemas where they are asked to", async () => {
    const cwd = folderWith(SMALL_PROJECT);
    const { files } = JSON.parse((await flowRun(["schema", "--out", "out", "--json"], { cwd })).stdout) as { files: string[] };
    expect(files).toContain("workflow.schema.json");
    for (const file of files) expect(JSON.parse(fs.readFileSync(path.join(cwd, "out", file), "utf8"))).toHaveProperty("$schema");
  });

  it("serve a model on a port, and name a script's mistakes by line", async () => {
    const cwd = folderWith({ "script.yaml": "seed: 1\nruels: []\n" });
    const program = startProgram(await programFile(), ["simulator", "--port", "0", "--json"], { cwd });
    onTestFinished(async () => void (await program.kill()));
    const { url } = JSON.parse(await program.said(/^\{/)) as { url: string };
    expect((await fetch(`${url}/_requests`)).status).toBe(200);
    expect(await flowRun(["simulator", "--script", "script.yaml"], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/script\.yaml.*2.*ruels/s),
    });
    program.signal("SIGTERM");
    expect((await program.ended).code).toBe(0);
  });
});
