import { describe, expect, it } from "vitest";
import { show } from "./__fixtures__/temporary-project.ts";
import type { Findings } from "./findings.ts";
import { readPartial, readPrompt } from "./read-prompt.ts";
import { splitPrompt } from "./split-prompt.ts";

function split(text: string) {
  const { frontMatter, body, bodyStart, unclosed } = splitPrompt({ path: "p", text });
  expect(text.slice(bodyStart, bodyStart + body.length)).toBe(body);
  return {
    yaml: frontMatter === undefined ? undefined : text.slice(frontMatter.start, frontMatter.end),
    body,
    unclosed: unclosed !== undefined,
  };
}

describe("splitPrompt", () => {
  it("parts front matter and body, which loses blanks at both ends", () => {
    expect(split("---\nmodel: a\n---\n\n  Hello\n{{x}} \n")).toEqual({ yaml: "model: a\n", body: "Hello\n{{x}}", unclosed: false });
  });
  it("leaves a file without front matter as it is", () => {
    expect(split("  Hello\n---\nthere\n")).toEqual({ yaml: undefined, body: "  Hello\n---\nthere\n", unclosed: false });
    expect(split("")).toEqual({ yaml: undefined, body: "", unclosed: false });
    expect(split("# A heading\n\nText\n")).toEqual({ yaml: undefined, body: "# A heading\n\nText\n", unclosed: false });
  });
  it("skips a licence header before the front matter", () => {
    expect(split("# Copyright\n#\n\n---\nmodel: a\n---\nHi")).toEqual({ yaml: "model: a\n", body: "Hi", unclosed: false });
  });
  it("takes a second --- without a line end", () => {
    expect(split("---\nmodel: a\n---")).toEqual({ yaml: "model: a\n", body: "", unclosed: false });
  });
  it("takes empty front matter and blanks after the fences", () => {
    expect(split("--- \n---\t\nHi")).toEqual({ yaml: "", body: "Hi", unclosed: false });
  });
  it("keeps later --- lines in the body", () => {
    expect(split("---\na: 1\n---\nx\n---\ny")).toMatchObject({ body: "x\n---\ny" });
  });
  it("says when the front matter does not end", () => {
    expect(split("---\nmodel: a\nHello")).toMatchObject({ body: "", unclosed: true });
  });
});

function prompt(text: string) {
  const findings: Findings = { diagnostics: [] };
  const read = readPrompt({ path: "p", text }, "p", findings);
  return { read, mistakes: findings.diagnostics.map(show) };
}

describe("readPrompt", () => {
  it("never lets front matter with mistakes become text for a model", () => {
    expect(prompt("---\nmodel: [\n---\nHi")).toMatchObject({ read: undefined, mistakes: [expect.stringContaining("p:3:1")] });
    expect(prompt("---\nmodel: a\nHi")).toEqual({
      read: undefined,
      mistakes: ["p:1:1-1:4 front-matter: the front matter does not end [close it with a line ---]"],
    });
    expect(prompt("---\n- a\n---\nHi")).toMatchObject({
      read: undefined,
      mistakes: ["p:2:1-2:4 invalid-value: must be a map, not a list"],
    });
  });
  it("keeps extensions, and warns of other keys that it does not know", () => {
    const { read, mistakes } = prompt("---\nacme.team: x\nfoo: 1\nname: other\n---\nHi");
    expect(read?.value).toMatchObject({ "acme.team": "x" });
    expect(mistakes).toEqual([
      'p:3:1-3:4 unknown-key: unknown key "foo" is ignored [extensions have a dot in their name; free data goes under metadata]',
      "p:4:7-4:12 ignored-name: a prompt is called as its file is: p, not other [remove the key, or rename the file]",
    ]);
  });
  it("reads front matter that is only a comment", () => {
    expect(prompt("---\n# nothing\n---\nHi")).toMatchObject({ read: { value: {}, body: "Hi" }, mistakes: [] });
  });
});

describe("readPartial", () => {
  it("refuses front matter, which would be sent to the model", () => {
    const findings: Findings = { diagnostics: [] };
    expect(readPartial({ path: "p", text: "---\nmodel: a\n---\nHi" }, "p", findings)).toBeUndefined();
    expect(findings.diagnostics).toMatchObject([{ code: "front-matter", line: 2 }]);
    expect(readPartial({ path: "p", text: "Hi\n" }, "p", findings)).toMatchObject({ name: "p", file: { text: "Hi\n" } });
  });
});
