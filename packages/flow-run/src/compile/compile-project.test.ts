import { describe, expect, test } from "vitest";
import { compileFiles, SIMULATED } from "./__fixtures__/compile-files.ts";

const PROMPT = "---\ninput: { schema: { ticket: string } }\n---\n{{ticket}}";

describe("models and providers", () => {
  async function project(text: string, prompts: { [path: string]: string } = {}): Promise<string[]> {
    return (await compileFiles({ "flow-run.yaml": `name: test\n${text}`, ...prompts })).lines;
  }

  test("a prompt without a model needs one called default", async () => {
    expect(await project("providers: { sim: { type: simulator } }\n", { "prompts/a.prompt": "hello" })).toEqual([
      'prompts/a.prompt:1:1 unknown-model the prompt names no model, and there is no model called "default" (add to flow-run.yaml: models: { default: PROVIDER/MODEL }, or name a model here: model: NAME)',
    ]);
    expect(await project("providers: { sim: { type: simulator } }\nmodels: { default: sim/x }\n", { "prompts/a.prompt": "hello" })).toEqual(
      [],
    );
  });

  test("an unknown model or provider of a prompt is told where it stands, with the nearest", async () => {
    const text = "providers: { sim: { type: simulator } }\nmodels: { fast: sim/x }\n";
    expect(await project(text, { "prompts/a.prompt": "---\nmodel: fats\n---\nx" })).toEqual([
      'prompts/a.prompt:2:8 unknown-model there is no model "fats" (did you mean "fast"?)',
    ]);
    expect(await project(text, { "prompts/a.prompt": "---\nmodel: smi/x\n---\nx" })).toEqual([
      'prompts/a.prompt:2:8 unknown-provider there is no provider "smi" (did you mean "sim"?)',
    ]);
    expect(await project(text, { "prompts/a.prompt": "---\nmodel: sim/\n---\nx" })).toEqual([
      'prompts/a.prompt:2:8 unknown-model "sim/" is not a model (write PROVIDER/MODEL, for example openai/gpt-5-mini)',
    ]);
    expect(await project(text, { "prompts/a.prompt": "---\nmodel: sim/org/model\n---\nx" })).toEqual([]);
  });

  test("unknown providers of models, fallbacks and environments are all told", async () => {
    const text = `providers: { sim: { type: simulator } }
models:
  a: smi/x
  b:
    use: sim/x
    fallback: [sim/y, nope/z]
environments:
  prod:
    models:
      a: { use: sym/x }
      c: sim/x
    gates: [triage-quality]
`;
    expect(await project(text)).toEqual([
      'flow-run.yaml:4:6 unknown-provider there is no provider "smi" (did you mean "sim"?)',
      'flow-run.yaml:7:23 unknown-provider there is no provider "nope" (there is: sim)',
      'flow-run.yaml:11:17 unknown-provider there is no provider "sym" (did you mean "sim"?)',
      'flow-run.yaml:12:7 unknown-model there is no model "c" that prod could override (there are: a, b)',
      'flow-run.yaml:13:13 unknown-eval there is no eval "triage-quality" (write evals/triage-quality.yaml)',
    ]);
  });

  test("a flow whose runs an environment limits must exist", async () => {
    const text = `providers: { sim: { type: simulator } }
models: { default: sim/x }
environments:
  prod:
    limits: { concurrency: 100, flows: { triage: 5, triaeg: 2 } }
`;
    expect(await project(text, { "prompts/triage.prompt": "hello" })).toEqual([
      'flow-run.yaml:6:53 unknown-flow there is no flow "triaeg" whose runs prod could limit (did you mean "triage"?)',
    ]);
    expect(await project(text.replace(", triaeg: 2", ""), { "prompts/triage.prompt": "hello" })).toEqual([]);
  });

  test("a key that is written out is a warning, also in a header; a reference is none", async () => {
    const text = `providers:
  a: { type: openai, apiKey: sk-1234567890 }
  b: { type: openai-compatible, baseUrl: "http://127.0.0.1:1/v1", headers: { Authorization: Bearer x, X-Team: blue } }
  c: { type: anthropic, apiKey: "\${{ secrets.KEY }}", headers: { x-api-key: "\${{ secrets.KEY }}" } }
`;
    const { bundle, diagnostics } = await compileFiles({ "flow-run.yaml": `name: test\n${text}` });
    expect(diagnostics.map(({ line, column, code, severity }) => [line, column, code, severity])).toEqual([
      [3, 30, "secret-in-file", "warning"],
      [4, 93, "secret-in-file", "warning"],
    ]);
    expect(diagnostics[0]?.hint).toContain("${{ secrets.A_API_KEY }}");
    expect(diagnostics[0]?.message).not.toContain("sk-");
    expect(bundle?.providers.c).toEqual({
      type: "anthropic",
      settings: { apiKey: "${{ secrets.KEY }}", headers: { "x-api-key": "${{ secrets.KEY }}" } },
      secrets: ["KEY"],
    });
  });

  test("a provider's settings may refer to secrets and to nothing else", async () => {
    const text = `providers:
  a: { type: openai, apiKey: "\${{ vars.KEY }}", baseUrl: "https://\${{ secrets.HOST }}/v1", organization: "\${{ secrets.ORG" }
`;
    expect(await project(text)).toEqual([
      'flow-run.yaml:3:30 not-available-here "vars.KEY" cannot stand in a provider\'s settings (write ${{ secrets.NAME }})',
      "flow-run.yaml:3:106 syntax ${{ has no }} (write ${{ secrets.NAME }})",
    ]);
  });

  test("a setting that a provider cannot do without is an error where the provider is used", async () => {
    const text = `providers:
  a: { type: azure, apiKey: "\${{ secrets.A }}" }
  b: { type: amazon-bedrock, apiKey: "\${{ secrets.B }}" }
  c: { type: openai-compatible }
  d: { type: azure, resourceName: mine, apiKey: "\${{ secrets.A }}" }
  e: { type: amazon-bedrock, region: eu-west-1, apiKey: "\${{ secrets.B }}" }
  f: { type: mistral, apiKey: "\${{ secrets.F }}" }
  g: { type: groq, apiKey: "\${{ secrets.G }}" }
models: { default: { use: a/x, fallback: [b/x, d/x, e/x, f/x, g/x] } }
`;
    const { bundle, diagnostics } = await compileFiles({ "flow-run.yaml": `name: test\n${text}` });
    expect(diagnostics.map(({ line, code, severity, message }) => [line, code, severity, message])).toEqual([
      [3, "missing-setting", "error", "a provider of type azure needs a resourceName or a baseUrl"],
      [4, "missing-setting", "error", "a provider of type amazon-bedrock needs a region, for example us-east-1"],
      [5, "missing-setting", "warning", "a provider of type openai-compatible needs a baseUrl, for example http://127.0.0.1:11434/v1"],
    ]);
    expect(bundle).toBeNull();
  });

  test("a key of AWS that is written out is a warning too", async () => {
    const text = `providers:
  a: { type: amazon-bedrock, region: us-east-1, accessKeyId: AKIAEXAMPLE, secretAccessKey: written-out, sessionToken: "\${{ secrets.T }}" }
`;
    const { bundle, diagnostics } = await compileFiles({ "flow-run.yaml": `name: test\n${text}` });
    expect(diagnostics.map(({ line, code, severity }) => [line, code, severity])).toEqual([[3, "secret-in-file", "warning"]]);
    expect(diagnostics[0]?.hint).toContain("A_SECRET_ACCESS_KEY");
    expect(bundle?.providers.a?.secrets).toEqual(["T"]);
  });

  test("the simulator's script goes into the bundle", async () => {
    const { bundle, lines } = await compileFiles({
      "flow-run.yaml": "name: test\nproviders: { sim: { type: simulator, script: ./sim/script.yaml, seed: 7 } }\n",
      "sim/script.yaml": "rules:\n  - { when: { contains: hi }, answer: hello }\n",
    });
    expect(lines).toEqual([]);
    expect(bundle?.providers.sim?.settings).toEqual({ seed: 7, script: { rules: [{ when: { contains: "hi" }, answer: "hello" }] } });
  });

  test("without its script there is no bundle, and one diagnostic", async () => {
    const missing = await compileFiles({ "flow-run.yaml": "name: test\nproviders: { sim: { type: simulator, script: gone.yaml } }\n" });
    expect(missing.bundle).toBeNull();
    expect(missing.lines).toHaveLength(1);
  });

  test("a model in short form has the defaults; a long form its own; an override keeps timeout and retries", async () => {
    const { bundle } = await compileFiles({
      "flow-run.yaml": `name: test
providers: { sim: { type: simulator }, other: { type: simulator } }
models:
  short: sim/a/b
  long: { use: sim/x, fallback: [other/y], timeout: 1m30s, retries: 0, limits: { concurrency: 5 }, price: { input: 1, output: 2 } }
environments:
  prod: { models: { long: other/z, short: { use: other/w, retries: 9 } }, vars: { TEAM: blue } }
`,
    });
    expect(bundle?.models).toEqual({
      short: { targets: [{ provider: "sim", model: "a/b" }], timeoutMs: 60_000, retries: 2, limits: {} },
      long: {
        targets: [
          { provider: "sim", model: "x" },
          { provider: "other", model: "y" },
        ],
        timeoutMs: 90_000,
        retries: 0,
        limits: { concurrency: 5 },
        price: { input: 1, output: 2 },
      },
    });
    expect(bundle?.environments).toEqual({
      prod: {
        models: {
          long: { targets: [{ provider: "other", model: "z" }], timeoutMs: 90_000, retries: 0, limits: {} },
          short: { targets: [{ provider: "other", model: "w" }], timeoutMs: 60_000, retries: 9, limits: {} },
        },
        vars: { TEAM: "blue" },
      },
    });
  });
});

describe("prompts", () => {
  async function prompt(frontMatter: string, body = "x"): Promise<string[]> {
    return (await compileFiles({ "prompts/p.prompt": `---\n${frontMatter}\n---\n${body}` })).lines;
  }

  test.each([
    ["config: { temperature: 3 }", "out-of-range temperature goes from 0 to 2; a provider will refuse 3"],
    ["config: { presencePenalty: -2.5 }", "out-of-range presencePenalty goes from -2 to 2; a provider will refuse -2.5"],
    [
      "config: { max_tokens: 5 }",
      '"max_tokens" is no setting of flow-run\'s and goes to the provider as it is (did you mean "maxOutputTokens"?)',
    ],
    ["output: { schema: { a: strng } }", 'bad-schema unknown type "strng"'],
    ["output: { format: text, schema: { a: string } }", "not-together output has a schema, so it is JSON and not text"],
    ["tools: [search]", "not-supported-yet a model that is asked by this prompt is offered no tools"],
    ["input: { schema: { a: string }, default: { a: x, b: y } }", 'unknown-variable the input has no variable "b"'],
    ["input: { schema: { a: integer }, default: { a: x } }", 'type-mismatch the default of "a" does not fit its schema'],
  ])("%s", async (frontMatter, expected) => {
    const lines = (await prompt(frontMatter, "{{json this}}")).join("\n");
    expect(lines).toContain(expected);
    expect(lines.split("\n")).toHaveLength(1);
  });

  test("a prompt without text is a warning", async () => {
    expect(await prompt("description: nothing", " \n")).toEqual([
      "prompts/p.prompt:2:1 empty-prompt the prompt has no text: a model would be asked nothing (write the prompt's text below the front matter)",
    ]);
  });

  test("a task has everything that the engine needs", async () => {
    const { bundle, lines } = await compileFiles({
      "prompts/triage.prompt": `---
description: Sorts tickets
model: default
config: { temperature: 0, maxOutputTokens: 400 }
input:
  schema: { ticket: string, tone: string }
  default: { tone: calm }
output: { schema: { urgent: boolean } }
---
{{> style}}{{ticket}}{{tone}}
`,
      "prompts/_style.prompt": "Be kind. {{> deeper}}",
      "prompts/_deeper.prompt": "Really.",
      "prompts/_unused.prompt": "Never.",
    });
    expect(lines).toEqual([]);
    expect(bundle?.flows.triage).toEqual({
      kind: "task",
      name: "triage",
      description: "Sorts tickets",
      file: "prompts/triage.prompt",
      model: "default",
      config: { temperature: 0, maxOutputTokens: 400 },
      input: {
        type: "object",
        properties: { ticket: { type: "string" }, tone: { type: "string", default: "calm" } },
        required: ["ticket"],
        additionalProperties: false,
      },
      defaults: { tone: "calm" },
      output: {
        format: "json",
        schema: { type: "object", properties: { urgent: { type: "boolean" } }, required: ["urgent"], additionalProperties: false },
      },
      template: "{{> style}}{{ticket}}{{tone}}",
      partials: { style: "Be kind. {{> deeper}}", deeper: "Really." },
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test("JSON without a schema is any JSON; without both it is text", async () => {
    const { bundle } = await compileFiles({ "prompts/a.prompt": "---\noutput: { format: json }\n---\nx", "prompts/b.prompt": "x" });
    expect(bundle?.flows.a).toMatchObject({ output: { format: "json" } });
    expect(bundle?.flows.b).toMatchObject({ output: { format: "text" } });
    expect(bundle?.flows.b?.input).toBeUndefined();
  });
});

describe("flows", () => {
  const WORKFLOW = "input: { ticket: string }\nsteps:\n  - { id: a, run: triage, with: { ticket: '${{ input.ticket }}' } }\n";

  test("two flows of one name are an error, whatever their kinds", async () => {
    const { bundle, lines } = await compileFiles({
      "prompts/triage.prompt": PROMPT,
      "flows/triage.yaml": "steps: [{ id: a, set: { x: 1 } }]\n",
      "agents/triage.yaml": "prompt: triage\n",
    });
    expect(bundle).toBeNull();
    expect(lines.filter((line) => line.includes("duplicate-name"))).toEqual([
      'agents/triage.yaml:1:1 duplicate-name the agent "triage" has the name of prompts/triage.prompt (applications start tasks, workflows and agents by name alone: rename one of the files)',
      'flows/triage.yaml:1:1 duplicate-name the workflow "triage" has the name of prompts/triage.prompt (applications start tasks, workflows and agents by name alone: rename one of the files)',
    ]);
  });

  test("a workflow is checked against the tasks that it runs", async () => {
    const { lines } = await compileFiles({
      "prompts/triage.prompt": PROMPT,
      "flows/reply.yaml":
        "steps:\n  - { id: a, run: triag, with: { ticket: x } }\n  - { id: b, run: triage, with: { tikcet: x } }\n  - { id: c, set: { x: '${{ steps.b.output.y }}' } }\n",
    });
    expect(lines.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
      "flows/reply.yaml:2:19 unknown-flow",
      "flows/reply.yaml:3:35 unknown-field",
      "flows/reply.yaml:4:44 unknown-field",
    ]);
  });

  test("a variable with a default need not be given by a workflow", async () => {
    const { lines } = await compileFiles({
      "prompts/triage.prompt": "---\ninput: { schema: { ticket: string, tone: string }, default: { tone: calm } }\n---\n{{ticket}}{{tone}}",
      "flows/reply.yaml": WORKFLOW,
    });
    expect(lines).toEqual([]);
  });

  test("a prompt that could not be read is no reason for further diagnostics where it is run", async () => {
    const { bundle, lines } = await compileFiles({ "prompts/triage.prompt": "---\nmodel: [\n---\n", "flows/reply.yaml": WORKFLOW });
    expect(bundle).toBeNull();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("prompts/triage.prompt");
  });

  test("a partial that could not be read is no reason for further diagnostics where it is included", async () => {
    const { bundle, lines } = await compileFiles({
      "prompts/_style.prompt": "---\na: b\n---\n",
      "prompts/p.prompt": "---\ninput: { schema: { ticket: string } }\n---\n{{> style}}",
    });
    expect(bundle).toBeNull();
    expect(lines.map((line) => line.split(":")[0])).toEqual(["prompts/_style.prompt"]);
  });

  test("what this version cannot execute is said at its place", async () => {
    const { bundle, lines } = await compileFiles({
      "prompts/triage.prompt": PROMPT,
      "agents/support.yaml": "prompt: triage\n",
      "flows/a.yaml": `# a comment
steps:
  - { id: w, wait: { for: 10m } }
  - parallel:
      - { id: h, http: { url: "https://example.com" } }
      - { id: s, set: { x: 1 } }
  - { id: agent, run: support, with: { whatever: 1 } }
`,
    });
    expect(bundle).toBeNull();
    expect(lines).toEqual([
      "agents/support.yaml:1:1 not-supported-yet this version does not run agents yet (leave the file out for now, or run the agent's prompt as a task)",
    ]);
  });

  test("every modifier of a step passes", async () => {
    const { lines, bundle } = await compileFiles({
      "prompts/triage.prompt": PROMPT,
      "flows/a.yaml": `input: { xs(array): string, on: boolean }
steps:
  - { id: a, if: "\${{ input.on }}", forEach: "\${{ input.xs }}", concurrency: 2, run: triage, with: { ticket: "\${{ item }}" }, timeout: 5s, retries: 2, onError: continue }
  - { id: b, repeat: { until: "\${{ steps.b.output != '' }}", max: 2 }, run: triage, with: { ticket: x }, onError: { run: triage, with: { ticket: y } } }
  - parallel: [{ id: c, set: { n: 1 } }, { id: d, run: triage, with: { ticket: z } }]
output: { c: "\${{ steps.c.output.n }}" }
`,
    });
    expect(lines).toEqual([]);
    expect(Object.keys(bundle!.flows)).toEqual(["a", "triage"]);
  });

  test("an eval speaks of a flow that exists", async () => {
    const { lines } = await compileFiles({
      "prompts/triage.prompt": PROMPT,
      "evals/q.yaml": "flow: triag\ncases: [{ input: { ticket: x } }]\nchecks: [{ contains: x }]\n",
    });
    expect(lines).toEqual(['evals/q.yaml:1:7 unknown-flow there is no flow "triag" (did you mean "triage"?)']);
  });

  test("a variable that an environment does not set is a warning there", async () => {
    const { bundle, lines } = await compileFiles({
      "flow-run.yaml": `${SIMULATED}environments:\n  dev: { vars: { TEAM: red } }\n  prod:\n    url: http://x\n`,
      "flows/a.yaml": "steps: [{ id: s, set: { x: '${{ vars.TEAM }}' } }]\n",
    });
    expect(lines).toEqual([
      "flow-run.yaml:6:3 missing-variable workflows read vars.TEAM, which prod does not set (add it: vars: { TEAM: … })",
    ]);
    expect(bundle?.environments.dev).toEqual({ models: {}, vars: { TEAM: "red" } });
  });

  test("variables and references called as JavaScript's own are like others", async () => {
    const { lines } = await compileFiles({
      "prompts/good.prompt": "---\ninput: { schema: { constructor: string, valueOf: string } }\n---\n{{constructor}}{{valueOf}}",
      "prompts/bad.prompt":
        "---\nmodel: constructor\ninput: { schema: { a: string } }\n---\n{{a}}{{toString}}{{a.constructor}}{{> constructor}}",
      "flows/reply.yaml": "steps: [{ id: a, run: hasOwnProperty }]\n",
    });
    expect(lines.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
      "flows/reply.yaml:1:23 unknown-flow",
      "prompts/bad.prompt:2:8 unknown-model",
      "prompts/bad.prompt:5:8 unknown-variable",
      "prompts/bad.prompt:5:22 unknown-field",
      "prompts/bad.prompt:5:39 unknown-partial",
    ]);
  });

  test("an empty project is a bundle without flows", async () => {
    const { bundle, lines } = await compileFiles({ "flow-run.yaml": "name: empty\n" });
    expect(lines).toEqual([]);
    expect(bundle).toMatchObject({ languageVersion: 1, project: "empty", flows: {}, providers: {}, models: {}, environments: {} });
  });
});
