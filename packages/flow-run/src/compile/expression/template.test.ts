import { describe, expect, test } from "vitest";
import { soleExpression, splitTemplate } from "./template.ts";

/** Texts as they are, sources in angle brackets. */
function split(text: string): string[] {
  return splitTemplate(text).parts.map((part) => (part.kind === "text" ? part.text : `<${part.source}>`));
}

describe("a template", () => {
  test.each([
    ["Hello ${{ input.ticket }}!", ["Hello ", "<input.ticket>", "!"]],
    ["no expression", ["no expression"]],
    ["", []],
    ["${{a}}${{b}}", ["<a>", "<b>"]],
    ["cost $${{ x }}", ["cost ${{ x }}"]],
    ["$$${{ x }}", ["$${{ x }}"]],
    ["a $${{ b ${{ c }}", ["a ${{ b ", "<c>"]],
    ["$ {{ x }} { } }}", ["$ {{ x }} { } }}"]],
    ["${{ {'a': {'b': '}}'}} }}", ["<{'a': {'b': '}}'}}>"]],
    ["${{ {'a': 1}}}", ["<{'a': 1}>"]],
    ["${{ '}}' }} and ${{ \"}}\" }}", ["<'}}'>", " and ", '<"}}">']],
    ["${{ 'it\\'s }}' }}", ["<'it\\'s }}'>"]],
    ["${{ '''a }} 'b' ''' }}", ["<'''a }} 'b' '''>"]],
    ["${{ a // not }} here\n }}", ["<a // not }} here>"]],
    ["${{ 'http://x' }}", ["<'http://x'>"]],
    ["${{\n  a +\n  b\n}}", ["<a +\n  b>"]],
    ["${{ }}", ["<>"]],
  ])("%j", (text, parts) => {
    expect(split(text)).toEqual(parts);
    expect(splitTemplate(text).unclosed).toBeUndefined();
  });

  test.each([
    ["x ${{ a", 2],
    ["${{ 'a }}", 0],
    ["${{ a // }}", 0],
    ["${{ { }}", 0],
    ["${{ ok }} ${{ a }", 10],
  ])("%j is not closed", (text, offset) => {
    expect(splitTemplate(text).unclosed).toBe(offset);
  });

  test("tells where each expression's source stands", () => {
    const text = "ab ${{  input.x  }} c";
    const [, part] = splitTemplate(text).parts;
    expect(part?.kind === "expression" && text.slice(part.start, part.end)).toBe("input.x");
    expect(part?.kind === "expression" && text.slice(part.outerStart, part.outerEnd)).toBe("${{  input.x  }}");
  });

  test("with one expression and blanks around it keeps the expression's type", () => {
    const sole = (text: string) => soleExpression(splitTemplate(text))?.source;
    expect([sole(" ${{ input.n }} "), sole("${{ input.n }}\n")]).toEqual(["input.n", "input.n"]);
    expect([sole("n: ${{ a }}"), sole("${{ a }} ${{ b }}"), sole("$${{ a }}"), sole("a"), sole("")]).toEqual(Array(5).fill(undefined));
  });
});
