import { expect, test } from "vitest";
import { compileFiles } from "./__fixtures__/compile-files.ts";

const compile = (retention: string) =>
  compileFiles({
    "flow-run.yaml": `name: test
providers: { sim: { type: simulator } }
models: { default: sim/small }
environments:
  dev: {}
  prod:
    retention: ${retention}
`,
    "prompts/a.prompt": "A",
  });

test("retention is compiled to milliseconds, for the environments that have one", async () => {
  const { bundle, diagnostics } = await compile("{ runs: 30d, contents: 1d12h, deliveries: 14d }");
  expect(diagnostics).toEqual([]);
  expect(bundle!.environments.prod!.retention).toEqual({ runsMs: 2_592_000_000, contentsMs: 129_600_000, deliveriesMs: 1_209_600_000 });
  expect(bundle!.environments.dev).not.toHaveProperty("retention");
  const only = await compile("{ contents: 7d }");
  expect(only.bundle!.environments.prod!.retention).toEqual({ contentsMs: 604_800_000 });
});

test.each([
  ["{ runs: 7d, contents: 30d }", "contents are to be kept for 30d, but runs only for 7d"],
  ["{ runs: 0s }", "runs would be gone before anybody could read them"],
])("%s is refused where it is written", async (retention, message) => {
  const { bundle, diagnostics } = await compile(retention);
  expect(bundle).toBeNull();
  expect(diagnostics).toMatchObject([{ code: "out-of-range", severity: "error", message, file: "flow-run.yaml", line: 7 }]);
});
