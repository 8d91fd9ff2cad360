import { editorSchemas, type JsonSchema } from "@flow-run/spec";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { DESIGN_PROJECT } from "./__fixtures__/design-project.ts";
import { temporaryProject } from "./__fixtures__/temporary-project.ts";
import { readProject } from "./index.ts";
import { splitPrompt } from "./split-prompt.ts";
import { readYaml } from "./yaml/read-yaml.ts";

const SCHEMAS = editorSchemas();

const EXAMPLES: [file: string, schema: string][] = [
  ["flow-run.yaml", "flow-run.schema.json"],
  ["prompts/triage.prompt", "prompt.schema.json"],
  ["flows/reply.yaml", "workflow.schema.json"],
  ["agents/support.yaml", "agent.schema.json"],
  ["tools/lookup_order.yaml", "tool.schema.json"],
  ["evals/triage-quality.yaml", "eval.schema.json"],
];

function exampleOf(path: string): unknown {
  const file = { path, text: DESIGN_PROJECT[path]! };
  const { frontMatter } = path.endsWith(".prompt") ? splitPrompt(file) : {};
  return readYaml(file, { diagnostics: [] }, frontMatter?.start, frontMatter?.end).value;
}

function accepts(schema: string, value: unknown): string[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  const validate = ajv.compile(SCHEMAS[schema] as object);
  validate(value);
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

describe("a project with every format", () => {
  it("is read without a mistake", async () => {
    const { project, diagnostics } = await readProject(await temporaryProject(DESIGN_PROJECT));
    expect(diagnostics).toEqual([]);
    expect(project).toMatchObject({
      prompts: [{ name: "triage" }],
      workflows: [{ name: "reply" }],
      agents: [{ name: "support" }],
      tools: [{ name: "lookup_order" }],
      evals: [{ name: "triage-quality" }],
    });
  });
});

describe("editors' schemas", () => {
  it.each(EXAMPLES)("of %s accept what the design shows", (path, schema) => {
    expect(accepts(schema, exampleOf(path))).toEqual([]);
  });
  it("cover every format, and the simulator's script", () => {
    expect(Object.keys(SCHEMAS).sort()).toEqual([...EXAMPLES.map(([, schema]) => schema), "simulator.schema.json"].sort());
    for (const schema of Object.values(SCHEMAS)) expect(schema).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema" });
  });
  it.each(EXAMPLES)("of %s refuse a misspelt key", (path, schema) => {
    if (schema === "prompt.schema.json") return expect(accepts(schema, { input: { shema: {} } })).not.toEqual([]);
    expect(accepts(schema, { ...(exampleOf(path) as object), speling: 1 })).toEqual([" must NOT have additional properties"]);
  });
  it("demand exactly one kind of a tool and of a check", () => {
    expect(accepts("tool.schema.json", { description: "x" })).not.toEqual([]);
    expect(accepts("tool.schema.json", { run: "a", http: { url: "https://x" } })).not.toEqual([]);
    expect(accepts("eval.schema.json", { flow: "a", cases: "x.jsonl", checks: [{ name: "x" }] })).not.toEqual([]);
  });
  it("refuse what the readers refuse: a model without a provider, a simulator's unknown key", () => {
    expect(accepts("flow-run.schema.json", { name: "a", models: { x: "gpt" } })).not.toEqual([]);
    expect(accepts("flow-run.schema.json", { name: "a", providers: { x: { type: "simulator", sed: 1 } } })).not.toEqual([]);
  });
  it.each(Object.keys(SCHEMAS).filter((name) => name !== "workflow.schema.json"))("%s describes every key", (name) => {
    expect(undescribed(SCHEMAS[name]!, SCHEMAS[name]!)).toEqual([]);
  });
});

/** Paths of properties that an editor could say nothing about. */
function undescribed(schema: JsonSchema, root: JsonSchema, path = ""): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([keyword, value]) => {
    if (typeof value !== "object" || value === null) return [];
    if (keyword !== "properties") return undescribed(value as JsonSchema, root, `${path}/${keyword}`);
    return Object.entries(value as { [name: string]: { description?: string; $ref?: string } }).flatMap(([key, property]) => {
      const target =
        property.$ref === undefined
          ? property
          : ((root as { $defs: { [id: string]: { description?: string } } }).$defs[property.$ref.split("/").at(-1)!] ?? {});
      const own = property.description === undefined && target.description === undefined ? [`${path}/${key}`] : [];
      return [...own, ...undescribed(property as JsonSchema, root, `${path}/${key}`)];
    });
  });
}
