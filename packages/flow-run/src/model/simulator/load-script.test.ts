import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FlowRunError, simulatorScriptSchema } from "@flow-run/spec";
import { expect, test } from "vitest";
import { z } from "zod";
import { loadSimulatorScript, parseSimulatorScript } from "./load-script.ts";

function problemsOf(text: string): unknown {
  try {
    parseSimulatorScript(text, "sim.yaml");
  } catch (error) {
    if (FlowRunError.isInstance(error) && error.code === "invalid-simulator-script") return error.details!.problems;
    throw error;
  }
  return [];
}

test("a script with everything in it is read, as YAML and as JSON", () => {
  const script = parseSimulatorScript(`
seed: 7
latency: { min: 20ms, max: 80ms, firstToken: 10ms, perToken: 2ms }
faults: { rateLimit: 0.02, retryAfter: 1s, serverError: 0.01, overloaded: 0.01, timeout: 0.01, cutStream: 0.01, malformedJson: 0.01, schemaMismatch: 0.01, malformedBody: 0.01 }
rules:
  - when: { model: "gpt-*", contains: refund, role: user, matches: "order \\\\d+", format: json, schema: Triage, properties: [urgent], nth: 2, attempt: 1 }
    answer: { category: billing, urgent: true }
    usage: { inputTokens: 120, outputTokens: 30, cacheReadTokens: 100, cacheWriteTokens: 5, reasoningTokens: 10 }
    finishReason: stop
    latency: 5ms
    times: 1
  - error: { status: 429, retryAfter: 2s, message: slow down, headers: { x-a: b } }
  - error: { status: 502, body: "<html>bad gateway</html>" }
  - error: { timeout: true }
  - { error: { cutAfter: 5 }, rawUsage: { prompt_tokens: -1 } }
  - usage: none
`);
  expect(script.rules).toHaveLength(6);
  expect(parseSimulatorScript(JSON.stringify(script))).toEqual(script);
});

test("an empty file is a script that leaves everything to the simulator", () => {
  expect(parseSimulatorScript("")).toEqual({});
  expect(parseSimulatorScript("# nothing yet\n")).toEqual({});
});

test("all mistakes are named at once, each at its line", () => {
  const text =
    "sed: 1\nlatency: fast\nrules:\n  - when: { matches: '(' }\n    answer: x\n  - error: { status: 429, timeout: true }\n  - times: 2\n";
  expect(problemsOf(text)).toEqual([
    { line: 2, column: 10, message: expect.stringContaining("latency") },
    { line: 4, column: 22, message: expect.stringContaining("rules.0.when.matches: is not a regular expression") },
    { line: 6, column: 12, message: expect.stringContaining("exactly one of") },
    { line: 7, column: 5, message: expect.stringContaining("does nothing") },
    { line: 1, column: 1, message: "sed: is not a key that is known here" },
  ]);
});

test.each([
  ["shares that add up to more than 1", "faults: { rateLimit: 0.6, timeout: 0.6 }", "add up"],
  ["an error of no kind", "rules: [{ error: {} }]", "none is given"],
  ["a wait without a status", "rules: [{ error: { timeout: true, retryAfter: 1s } }]", "retryAfter needs a status"],
  ["a share above 1", "faults: { timeout: 2 }", "faults.timeout"],
  ["a negative count", "rules: [{ usage: { inputTokens: -1 } }]", "rules.0.usage"],
  ["broken YAML", "rules: [", ""],
  ["a list", "- 1", ""],
  ["text", "hello", ""],
  [
    "an alias bomb",
    `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefgh"
      .split("")
      .map((key, index) => `${key}: &${key} [${Array(9).fill(`*${"abcdefg"[index]}`).join(",")}]`)
      .join("\n")}`,
    "",
  ],
  ["a script that is named but not there", "script: simulator.yaml", "simulator.yaml"],
])("%s is a mistake", (_, text, message) => {
  expect(problemsOf(text)).toEqual(
    expect.arrayContaining([{ line: expect.any(Number), column: expect.any(Number), message: expect.stringContaining(message) }]),
  );
});

test("the settings of a provider win over the script beside them", () => {
  const settings = { script: { seed: 1, latency: "1s", rules: [{ answer: "a" }] }, seed: 2 };
  expect(parseSimulatorScript(JSON.stringify(settings))).toEqual({ seed: 2, latency: "1s", rules: [{ answer: "a" }] });
});

test("a file that cannot be read says why, and one with mistakes names itself", async () => {
  const folder = await mkdtemp(join(tmpdir(), "flow-run-script-"));
  try {
    await expect(loadSimulatorScript(join(folder, "none.yaml"))).rejects.toMatchObject({
      code: "simulator-script-unreadable",
      message: expect.stringContaining("no such file"),
    });
    await expect(loadSimulatorScript(folder)).rejects.toMatchObject({ message: expect.stringContaining("not a regular file") });
    await writeFile(join(folder, "bytes.yaml"), Buffer.from([0xff, 0xfe, 0x00]));
    await expect(loadSimulatorScript(join(folder, "bytes.yaml"))).rejects.toMatchObject({ code: "simulator-script-unreadable" });
    await writeFile(join(folder, "wrong.yaml"), "seed: x\n");
    await expect(loadSimulatorScript(join(folder, "wrong.yaml"))).rejects.toMatchObject({
      message: expect.stringContaining("wrong.yaml:1:7 seed"),
    });
    await writeFile(join(folder, "good.yaml"), "\uFEFFseed: 3\r\n");
    expect(await loadSimulatorScript(join(folder, "good.yaml"))).toEqual({ seed: 3 });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the reference has only valid scripts and names every key", async () => {
  const reference = await readFile(new URL("../../../../../docs/reference/simulator.md", import.meta.url), "utf8");
  const scripts = [...reference.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => yaml!).filter((yaml) => !yaml.includes("providers:"));
  expect(scripts.length).toBeGreaterThanOrEqual(2);
  for (const script of scripts) expect(parseSimulatorScript(script)).not.toEqual({});
  const keys = keysOf(z.toJSONSchema(simulatorScriptSchema) as object);
  expect(keys).toContain("retryAfter");
  const missing = keys.filter((key) => !new RegExp(`(\`|^)${key}[\`:]`, "m").test(reference));
  expect(missing).toEqual([]);
});

/** Names of all keys that a schema of zod's allows, at any depth. */
function keysOf(schema: { properties?: object; items?: object; anyOf?: object[] }): string[] {
  const named = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => [key, ...keysOf(inner as object)]);
  return [...named, ...[schema.items ?? [], schema.anyOf ?? []].flat().flatMap((inner) => keysOf(inner))];
}
