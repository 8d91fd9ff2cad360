import { execFile } from "node:child_process";
import fs from "node:fs";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { flowRun, folderWith } from "../support/command-line.ts";
import { programFile } from "../support/shared-databases.ts";

const COMMANDS = [
  ["init"],
  ["validate"],
  ["render"],
  ["graph"],
  ["run"],
  ["dev"],
  ["deploy"],
  ["releases", "list"],
  ["runs", "list"],
  ["runs", "show"],
  ["runs", "watch"],
  ["runs", "cancel"],
  ["runs", "signal"],
  ["runs", "replay"],
  ["runs", "feedback"],
  ["server"],
  ["webhooks", "list"],
  ["webhooks", "show"],
  ["webhooks", "replay"],
  ["costs"],
  ["costs", "explain"],
  ["keys", "create"],
  ["keys", "list"],
  ["keys", "revoke"],
  ["doctor"],
  ["schema"],
  ["simulator"],
];

describe("help and mistaken commands", () => {
  it("lists the commands in groups, with the exit codes", async () => {
    const { code, stdout, stderr } = await flowRun(["--help"], { cwd: folderWith() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const [name] of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
    for (const group of ["Write and try:", "Deploy and operate:", "Check and set up:"]) expect(stdout).toContain(group);
    expect(stdout).toContain("Exit codes: 0 fine;");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("shows an example with the help of every command", async () => {
    const cwd = folderWith();
    await Promise.all(
      COMMANDS.map(async (words) => {
        const { code, stdout } = await flowRun([...words, "--help"], { cwd });
        expect(code).toBe(0);
        expect(stdout).toMatch(new RegExp(`Examples?:\\n  flow-run ${words.join(" ")}`));
        expect(stdout).toMatch(/--json/);
        expect(stdout).not.toContain("[]");
      }),
    );
  });

  it("ends with 2 and one sentence with the usage, when the command line is wrong", async () => {
    const cwd = folderWith();
    const cases: [string[], RegExp][] = [
      [["deply"], /^error: Unknown command 'deply'\. Did you mean deploy\?\nUsage: flow-run COMMAND/],
      [["runs", "lst"], /^error: Unknown command 'lst'\. Did you mean list\?\nUsage: flow-run runs COMMAND/],
      [["runs", "show"], /^error: Missing required argument 'run'\.\nUsage: flow-run runs show \[options\] <run>/],
      [["run", "greet", "--inptu", "x"], /^error: Unknown option '--inptu'\. Did you mean --input\?/],
      [["validate", "--format", "xml"], /Allowed choices are pretty, json, github, sarif\./],
      [["validate", "extra"], /^error: Too many arguments/],
      [["simulator", "--port", "many"], /^error: --port many: write a number from 0 to 65535\.\n$/],
      [["simulator", "--latency", "soon"], /^error: --latency soon: write a duration such as 50ms\.\n$/],
      [["simulator", "--script", "none.yaml"], /^error: The script cannot be read: there is no file none\.yaml\.\n$/],
      [["server", "--concurrency", "0"], /--concurrency 0: write a whole number from 1/],
      [["server", "--role", "worker"], /--role worker needs DATABASE_URL/],
      [["keys", "create", "me", "--scope", "all"], /--scope all: it is one of run, read, deploy, admin/],
    ];
    await Promise.all(
      cases.map(async ([args, sentence]) => {
        const { code, stdout, stderr } = await flowRun(args, { cwd });
        expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
        expect(stderr).toMatch(sentence);
        expect(stderr).not.toMatch(/\n {4}at /);
      }),
    );
  });

  it("shows the help of a group that is named without its command, and ends with 2", async () => {
    const cwd = folderWith();
    for (const args of [[], ["runs"], ["keys"]]) {
      const { code, stdout, stderr } = await flowRun(args, { cwd });
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain(`Usage: flow-run ${[...args, "COMMAND"].join(" ")}`);
    }
  });

  it("answers mistakes with one JSON document and nothing else when JSON is asked for", async () => {
    const cwd = folderWith();
    for (const args of [
      ["deply", "--json"],
      ["runs", "--json"],
      ["validate", "--json", "--nope"],
      ["validate", "--format=json"],
    ]) {
      const { code, stdout } = await flowRun(args, { cwd });
      expect(code).toBe(2);
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } });
    }
  });

  it("loads nothing heavy to show help", async () => {
    const cwd = folderWith({
      "watch.mjs": `import { registerHooks } from "node:module";
const loaded = [];
registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
process.on("exit", () => process.stderr.write(JSON.stringify(loaded)));`,
    });
    const args = ["--import", pathToFileURL(`${cwd}/watch.mjs`).href, await programFile(), "run", "--help"];
    const { stderr } = await promisify(execFile)(process.execPath, args, { cwd });
    const loaded = JSON.parse(stderr) as string[];
    expect(
      loaded.filter((url) => /zod|yaml|fastify|pino|undici|pg|handlebars|ajv|ai-sdk/.test(url.split("/node_modules/")[1] ?? "")),
    ).toEqual([]);
    expect(loaded.filter((url) => url.startsWith("file:")).length).toBeLessThan(25);
  });

  const oldNode = "/usr/bin/node";
  const isOld = fs.existsSync(oldNode);
  it.skipIf(!isOld)("tells an old Node in one sentence (skipped without another Node in /usr/bin)", async ({ skip }) => {
    const { stdout: version } = await promisify(execFile)(oldNode, ["--version"]);
    if (Number(version.slice(1).split(".")[0]) >= 22) skip(`${oldNode} is ${version.trim()}, which is new enough`);
    const failed = await promisify(execFile)(oldNode, [await programFile(), "--help"]).catch((error) => error);
    expect(failed).toMatchObject({ code: 2, stdout: "" });
    expect(failed.stderr).toMatch(/^flow-run needs Node 22\.18 or newer; this is Node \d+\.\d+\.\d+ \(.*\)\. Install .*\n$/);
  });
});
