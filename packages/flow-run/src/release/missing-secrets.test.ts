import { describe, expect, test } from "vitest";
import { compileFiles } from "../../test/support/compile-files.ts";
import { missingSecrets } from "./missing-secrets.ts";

describe("secrets that a release lacks", () => {
  test("are those of the providers that its prompts reach and those of its http steps", async () => {
    const bundle = await compileFiles({
      "flow-run.yaml": `name: s
providers:
  used: { type: openai, apiKey: "\${{ secrets.USED }}" }
  unused: { type: openai, apiKey: "\${{ secrets.UNUSED }}" }
models: { default: used/gpt-5-mini }
`,
      "prompts/p.prompt": "hi",
      "flows/f.yaml": `steps:
  - { id: a, http: { url: "https://\${{ secrets.HOST }}/", headers: { X-Key: "a \${{ secrets['DASHED-KEY'] }}" } } }
  - parallel:
      - { id: b, http: { url: "https://example.com", body: { list: ["\${{ [secrets.INNER] }}"], there: "\${{ secrets.THERE }}" } } }
output: { done: true }
`,
    });
    const secrets = (name: string) => (name === "THERE" ? "x" : undefined);
    expect(missingSecrets(bundle, "dev", secrets)).toEqual(["DASHED-KEY", "HOST", "INNER", "USED"]);
  });
});
