import { describe, expect, test } from "vitest";
import { parseTemplate } from "./parse-template.ts";
import { TemplateText } from "./template-text.ts";

/** The diagnostic of a template that follows three lines of front matter, as `line:column message`. */
function problem(body: string, head = "---\na: b\n---\n"): string {
  const { diagnostics, program } = parseTemplate(new TemplateText({ path: "prompts/a.prompt", text: head + body }, head.length));
  expect(program === null).toBe(diagnostics.length > 0);
  return diagnostics.map(({ line, column, message }) => `${line}:${column} ${message}`).join("\n");
}

describe("a syntax error is told in the file's lines and columns", () => {
  test.each([
    ["{{#if x}}\nabc", "4:1 the block {{#if}} is never closed"],
    ["a {{#each xs}}\n {{#if x}}\n{{/if}}", "4:3 the block {{#each}} is never closed"],
    ["{{!-- {{#if}} --}}\n{{#each xs}}", "5:1 the block {{#each}} is never closed"],
    ["{{#if a}}{{else if b}}", "4:1 the block {{#if}} is never closed"],
    ["\n\n  {{#if x}}{{/each}}", "6:6 the block {{#if}} is closed by {{/each}}"],
    ["x\n {{/if}}", "5:2 there is no open block to close here"],
    ["x\n{{#if a}}{{else}}{{else}}{{/if}}", "5:18 there is no open block that this {{else}} could belong to"],
    ["abc {{foo", "4:7 the template ends in the middle of {{ … }}"],
    ["{{}}", "4:3 something is missing before }}"],
    ["{{foo bar=}}", "4:11 something is missing before }}"],
    ["{{{a}}", "4:5 something is missing before }}"],
    ["long line of text before it\nand more {{ a , b }} and after", '5:15 unexpected "," in {{ … }}'],
    ["{{> }}", "4:5 something is missing before }}"],
    ['{{role "system}} and', '4:8 the text that begins here is never closed by "'],
    ["{{foo/../bar}}", "4:3 Invalid path: foo/.."],
  ])("%j", (body, expected) => {
    expect(problem(body)).toBe(expected);
  });

  test("with CRLF line ends the places are the same", () => {
    expect(problem("x\r\n{{#if a}}\r\n {{b c=}}", "---\r\na: b\r\n---\r\n")).toBe("6:8 something is missing before }}");
  });

  test("without front matter the first line counts from column 1", () => {
    expect(problem("{{}}", "")).toBe("1:3 something is missing before }}");
  });

  test.each([
    ["blocks", "{{#if a}}".repeat(101) + "{{/if}}".repeat(101)],
    ["20,000 blocks", "{{#if a}}".repeat(20_000) + "{{/if}}".repeat(20_000)],
    ["blocks that are never closed", "{{#if a}}".repeat(20_000)],
    ["else if", `{{#if a}}${"{{else if b}}".repeat(5_000)}{{/if}}`],
    ["parentheses", `{{json ${"(lookup a ".repeat(5_000)}b${")".repeat(5_000)}}}`],
    ["parentheses that are never closed", `{{json ${"(lookup a ".repeat(5_000)}`],
  ])("%s nested beyond reason are refused before they are parsed", (_, body) => {
    expect(problem(body)).toBe("4:1 blocks or parentheses are nested more than 100 deep");
  });

  test("a template beyond a million characters or ten thousand tags is refused", () => {
    expect(problem("x".repeat(1_000_001))).toBe("4:1 the template is longer than 1,000,000 characters");
    expect(problem("{{a}}".repeat(10_001))).toBe("4:1 the template has more than 10,000 tags");
  });

  test("many blocks after each other and many parentheses in the text are fine", () => {
    expect(problem(`${"{{#if a}}({{else if b}}({{else}}({{/if}}".repeat(300)} \\{{#if a}} ${"(".repeat(500)}`)).toBe("");
  });

  test("fine templates have none", () => {
    expect(problem("\\{{not}} {{#if a}}{{else}}{{/if}} {{{b}}} {{> p x=1}} {{!-- {{ --}} {{a.[b c]}}")).toBe("");
  });
});
