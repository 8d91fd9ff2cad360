import { FlowRunError } from "@flow-run/spec";
import { beforeAll, describe, expect, test } from "vitest";
import { compileFiles } from "./__fixtures__/compile-files.ts";
import type { Bundle } from "./bundle.ts";
import { hashBundle } from "./content-hash.ts";
import { withModelOverrides } from "./model-overrides.ts";
import { resolveModel } from "./resolve-model.ts";

let bundle: Bundle;

beforeAll(async () => {
  const compiled = await compileFiles({
    "flow-run.yaml": `name: test
providers: { sim: { type: simulator }, claude: { type: anthropic, apiKey: "\${{ secrets.KEY }}" } }
models:
  fast: { use: sim/small, fallback: [sim/tiny], timeout: 5s, retries: 7, price: { input: 1, output: 1 } }
  smart: sim/big
environments:
  prod: { models: { fast: claude/haiku } }
`,
    "prompts/a.prompt": "---\nmodel: fast\n---\nA",
    "prompts/b.prompt": "---\nmodel: smart\n---\nB",
  });
  bundle = compiled.bundle!;
});

function failure(run: () => unknown): FlowRunError {
  try {
    run();
  } catch (error) {
    if (FlowRunError.isInstance(error)) return error;
  }
  throw new Error("it did not fail with a FlowRunError");
}

describe("resolveModel", () => {
  test("takes the environment's own model before the project's, and the project's in an unknown environment", () => {
    expect(resolveModel(bundle, "prod", "fast").targets).toEqual([{ provider: "claude", model: "haiku" }]);
    expect(resolveModel(bundle, "prod", "smart").targets).toEqual([{ provider: "sim", model: "big" }]);
    for (const environment of ["dev", "", "toString", "__proto__"])
      expect(resolveModel(bundle, environment, "fast")).toBe(bundle.models.fast);
  });

  test("takes PROVIDER/MODEL as it stands", () => {
    expect(resolveModel(bundle, "prod", "sim/org/x")).toEqual({
      targets: [{ provider: "sim", model: "org/x" }],
      timeoutMs: 60_000,
      retries: 2,
      limits: {},
    });
  });

  test("names what does not exist and what to do", () => {
    expect(failure(() => resolveModel(bundle, "prod", "fats"))).toMatchObject({
      code: "unknown-model",
      message: 'There is no model "fats". Did you mean "fast"?',
    });
    expect(failure(() => resolveModel(bundle, "prod", "constructor")).code).toBe("unknown-model");
    expect(failure(() => resolveModel(bundle, "prod", "toString/x")).code).toBe("unknown-provider");
    expect(failure(() => resolveModel(bundle, "prod", "claud/x")).message).toContain('Did you mean "claude"?');
  });
});

describe("withModelOverrides", () => {
  test("swaps a model in every environment, keeps its timeout and retries, and drops price and fallback of the old target", () => {
    const swapped = withModelOverrides(bundle, { fast: "claude/opus" });
    for (const environment of ["prod", "dev"]) {
      expect(resolveModel(swapped, environment, "fast")).toEqual({
        targets: [{ provider: "claude", model: "opus" }],
        timeoutMs: 5_000,
        retries: 7,
        limits: {},
      });
    }
    expect(resolveModel(bundle, "prod", "fast").targets).toEqual([{ provider: "claude", model: "haiku" }]);
  });

  test("takes another model's name, too", () => {
    expect(withModelOverrides(bundle, { smart: "fast" }).models.smart).toEqual(bundle.models.fast);
  });

  test("changes the hashes of the flows that ask the model, and of no other", () => {
    const swapped = withModelOverrides(bundle, { fast: "claude/opus" });
    expect(swapped.hash).toBe(hashBundle(swapped));
    expect(swapped.hash).not.toBe(bundle.hash);
    expect(swapped.flows.a?.hash).not.toBe(bundle.flows.a?.hash);
    expect(swapped.flows.b?.hash).toBe(bundle.flows.b?.hash);
  });

  test("refuses names that do not exist", () => {
    expect(failure(() => withModelOverrides(bundle, { fats: "sim/x" }))).toMatchObject({
      code: "unknown-model",
      message: expect.stringContaining('"fast"'),
    });
    expect(failure(() => withModelOverrides(bundle, { fast: "nope/x" })).code).toBe("unknown-provider");
    expect(failure(() => withModelOverrides(bundle, { fast: "nope" })).code).toBe("unknown-model");
  });
});

describe("limits and hedging", () => {
  const compile = (provider: string, model: string) =>
    compileFiles({
      "flow-run.yaml": `name: test
providers: { sim: { type: simulator${provider} } }
models: { fast: { use: sim/small${model} } }
environments: { prod: { models: { fast: sim/other } } }
`,
      "prompts/a.prompt": "---\nmodel: fast\n---\nA",
    });

  test("are in the bundle: a provider's beside its settings, a model's with times in milliseconds", async () => {
    const { bundle } = await compile(", limits: { requestsPerMinute: 60 }", ", limits: { concurrency: 3 }, hedge: { after: 2s }");
    expect(bundle!.providers.sim).toMatchObject({ settings: {}, limits: { requestsPerMinute: 60 } });
    expect(bundle!.models.fast).toMatchObject({ limits: { concurrency: 3 }, hedge: { afterMs: 2_000, max: 1 } });
  });

  test("belong to the target: another one in an environment has none of them", async () => {
    const { bundle } = await compile("", ", limits: { concurrency: 3 }, hedge: { after: 2s, max: 2 }");
    expect(resolveModel(bundle!, "prod", "fast").limits).toEqual({});
    expect(resolveModel(bundle!, "prod", "fast")).not.toHaveProperty("hedge");
  });

  test("change the bundle and no flow: what a flow answers stays the same", async () => {
    const plain = (await compile("", "")).bundle!;
    const limited = (await compile(", limits: { concurrency: 9 }", ", limits: { tokensPerMinute: 1000 }, hedge: { after: 1s }")).bundle!;
    expect(limited.hash).not.toBe(plain.hash);
    expect(limited.flows.a!.hash).toBe(plain.flows.a!.hash);
  });

  test.each([
    [", limits: { concurrency: 0 }", ""],
    [", limits: { requestPerMinute: 5 }", ""],
    ["", ", limits: { tokensPerMinute: -1 }"],
    ["", ", hedge: { max: 1 }"],
    ["", ", hedge: { after: 2s, max: 9 }"],
    ["", ", hedge: 2s"],
  ])("that make no sense are mistakes at their places: %j %j", async (provider, model) => {
    const { diagnostics } = await compile(provider, model);
    expect(diagnostics.filter(({ severity }) => severity === "error").map(({ file, line }) => `${file}:${line}`)).toEqual([
      `flow-run.yaml:${provider === "" ? 3 : 2}`,
    ]);
  });
});
