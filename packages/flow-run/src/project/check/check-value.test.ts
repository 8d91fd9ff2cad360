import { agentSchema, projectSchema, promptSchema, workflowSchema } from "@flow-run/spec";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { show } from "../__fixtures__/temporary-project.ts";
import type { Findings } from "../findings.ts";
import { readYaml } from "../yaml/read-yaml.ts";
import { checkValue } from "./check-value.ts";
import { knownKeys } from "./known-keys.ts";

function mistakesOf(schema: z.ZodType, text: string): string[] {
  const findings: Findings = { diagnostics: [] };
  const { source, value } = readYaml({ path: "f", text }, findings);
  expect(findings.diagnostics).toEqual([]);
  checkValue(schema, source, value!, findings);
  return findings.diagnostics.map(show);
}

describe("checkValue", () => {
  it("returns the value that fits", () => {
    const findings: Findings = { diagnostics: [] };
    const { source, value } = readYaml({ path: "f", text: "prompt: a" }, findings);
    expect(checkValue(agentSchema, source, value!, findings)).toEqual({ prompt: "a" });
  });
  it("reports a misspelt key once, not as unknown and missing", () => {
    expect(mistakesOf(agentSchema, "promt: a")).toEqual(['f:1:1-1:6 unknown-key: unknown key "promt" [did you mean "prompt"?]']);
  });
  it("reports a missing key at the map that lacks it", () => {
    expect(mistakesOf(projectSchema, "name: x\nmodels:\n  fast:\n    retries: 1\n")).toEqual([
      'f:3:3-3:7 missing-key: the key "use" is missing',
    ]);
    expect(mistakesOf(agentSchema, "tools: []")).toEqual(['f:1:1-1:10 missing-key: the key "prompt" is missing']);
  });
  it("names the keys that may stand in a place, when they are few", () => {
    expect(mistakesOf(projectSchema, "name: x\nmodels: { a: { use: s/m, limits: { speed: 1 } } }")).toEqual([
      'f:2:36-2:41 unknown-key: unknown key "speed" [the keys that may stand here are concurrency, requestsPerMinute, tokensPerMinute]',
    ]);
  });
  it("knows the words of neighbouring tools", () => {
    expect(mistakesOf(workflowSchema, "steps: [{ id: a, uses: b }]")).toEqual([
      'f:1:18-1:22 unknown-key: unknown key "uses" [did you mean "run"?]',
    ]);
  });
  it("explains that merge keys are not supported", () => {
    expect(mistakesOf(workflowSchema, "steps: [{ run: a, <<: {} }]")[0]).toContain("merge keys are not supported");
  });
  it("reports the mistakes of the branch that was meant", () => {
    expect(mistakesOf(projectSchema, "name: x\nmodels: { a: { use: s/m, retris: 3, timeout: 5 } }")).toEqual([
      'f:2:26-2:32 unknown-key: unknown key "retris" [did you mean "retries"?]',
      "f:2:46-2:47 invalid-value: timeout must be text, not 5 [write '5' in quotes]",
    ]);
    expect(mistakesOf(projectSchema, "name: x\nmodels: { a: gpt-5 }")).toEqual([
      "f:2:14-2:19 invalid-value: a: write PROVIDER/MODEL, for example openai/gpt-5-mini",
    ]);
    expect(mistakesOf(projectSchema, "name: x\nmodels: { a: [] }")).toEqual(["f:2:14-2:16 invalid-value: a must be text or a map"]);
  });
  it("suggests the option of an enum and of a discriminator", () => {
    expect(mistakesOf(promptSchema, "output: { format: jsn }")).toEqual([
      'f:1:19-1:22 invalid-value: format must be one of text, json, not "jsn" [did you mean json?]',
    ]);
    expect(mistakesOf(projectSchema, "name: x\nproviders: { a: { type: opnai } }")).toEqual([
      expect.stringMatching(/^f:2:25-2:30 invalid-value: type must be one of simulator, openai, .* \[did you mean openai\?\]$/),
    ]);
    expect(mistakesOf(projectSchema, "name: x\nproviders: { a: { apiKey: y } }")).toEqual([
      'f:2:14-2:15 missing-key: the key "type" is missing',
    ]);
  });
  it("checks names that are keys", () => {
    expect(mistakesOf(projectSchema, "name: x\nmodels: { 'a b': s/m, toString: s/m }")).toEqual([
      "f:2:11-2:16 invalid-name: use letters, digits, _ and -, beginning with a letter, at most 64 [rename it]",
      "f:2:23-2:31 invalid-name: this name is reserved [rename it]",
    ]);
  });
  it("tells what YAML made of the text", () => {
    const schema = z.strictObject({
      version: z.string().optional(),
      on: z.boolean().optional(),
      n: z.int().optional(),
      list: z.array(z.string()).optional(),
    });
    expect(mistakesOf(schema, "version: 1.10")).toEqual([
      "f:1:10-1:14 invalid-value: version must be text, not 1.1 [write '1.10' in quotes; YAML reads 1.10 as 1.1]",
    ]);
    expect(mistakesOf(schema, "version: true")[0]).toContain("[write 'true' in quotes]");
    expect(mistakesOf(schema, "on: no")).toEqual(['f:1:5-1:7 invalid-value: on must be true or false, not "no" [write false]']);
    expect(mistakesOf(schema, "n: '3'")[0]).toContain("[write 3 without quotes]");
    expect(mistakesOf(schema, "list: a")[0]).toContain('list must be a list, not "a" [write [a]]');
  });
  it("says limits in words", () => {
    expect(mistakesOf(workflowSchema, "steps: []")).toEqual(["f:1:8-1:10 invalid-value: steps must have at least 1 entry"]);
    expect(mistakesOf(workflowSchema, "steps: [{ run: a, retries: 99 }]")).toEqual([
      "f:1:28-1:30 invalid-value: retries must be at most 20",
    ]);
    expect(mistakesOf(projectSchema, "name: ''")).toEqual(["f:1:7-1:9 invalid-value: name must not be empty"]);
  });
  it("reports each of many mistakes at its own place", () => {
    expect(mistakesOf(workflowSchema, "steps:\n  - id: 1\n    rn: a\n  - id: b\n    parallel:\n      - retries: x\n")).toEqual([
      'f:3:5-3:7 unknown-key: unknown key "rn" [did you mean "run"?]',
      "f:2:9-2:10 invalid-value: id must be text, not 1 [write '1' in quotes]",
      'f:6:18-6:19 invalid-value: retries must be a number, not "x"',
    ]);
  });
});

describe("knownKeys", () => {
  it("finds the keys of maps inside unions, lists, records and recursive schemas", () => {
    expect(knownKeys(projectSchema, ["models", "fast", "limits"])).toEqual(["concurrency", "requestsPerMinute", "tokensPerMinute"]);
    expect(knownKeys(workflowSchema, ["steps", 0, "parallel", 3])).toContain("forEach");
    expect(knownKeys(projectSchema, ["providers", "x"])).toEqual(expect.arrayContaining(["type", "apiKey", "seed"]));
    expect(knownKeys(projectSchema, ["name", "deep"])).toEqual([]);
  });
});
