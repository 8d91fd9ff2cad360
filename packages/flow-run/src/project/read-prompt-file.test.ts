import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryProject } from "./__fixtures__/temporary-project.ts";
import { readPromptFile } from "./index.ts";

describe("readPromptFile", () => {
  it("reads a prompt of any name, with the partials of its folder", async () => {
    const root = await temporaryProject({
      "my prompts/hello world.v2.prompt": "---\nmodel: a\n---\nHi {{> style}}",
      "my prompts/_style.prompt": "kindly",
    });
    const path = join(root, "my prompts/hello world.v2.prompt");
    const { prompt, partials, diagnostics, textOf } = await readPromptFile(path);
    expect(diagnostics).toEqual([]);
    expect(prompt).toMatchObject({ name: "hello world.v2", value: { model: "a" }, body: "Hi {{> style}}" });
    expect(partials).toMatchObject([{ name: "style", file: { text: "kindly" } }]);
    expect(textOf(path)).toContain("model: a");
  });
  it("reports mistakes with the path that was given", async () => {
    const root = await temporaryProject({ "a.prompt": "---\nmodle: a\n---\nHi" });
    const path = join(root, "a.prompt");
    expect(await readPromptFile(path)).toMatchObject({ prompt: null, diagnostics: [{ file: path, line: 2, code: "unknown-key" }] });
    expect(await readPromptFile(join(root, "none.prompt"))).toMatchObject({ prompt: null, diagnostics: [{ code: "file-not-found" }] });
    expect(await readPromptFile(root)).toMatchObject({ prompt: null, diagnostics: [{ code: "not-a-file" }] });
  });
});
