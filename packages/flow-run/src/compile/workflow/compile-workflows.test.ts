import { describe, expect, test } from "vitest";
import { compileTexts, textAt } from "./__fixtures__/compile-text.ts";
import { type Finding, ROWS } from "./__fixtures__/workflow-table.ts";

const HEAD =
  "input: { ticket: string, n: integer, price: number, tone?: string, xs(array): { id: string, note?: string }, on: boolean }\nsteps:\n";

function findings(texts: { [name: string]: string }): Finding[] {
  return compileTexts(texts).diagnostics.map((diagnostic) => {
    const name = diagnostic.file.slice("flows/".length, -".yaml".length);
    return [diagnostic.code, textAt(texts[name]!, diagnostic), `${diagnostic.message} ${diagnostic.hint ?? ""}`];
  });
}

describe("the table of workflows", () => {
  test.each(ROWS)("%s", (_title, steps, expected) => {
    const found = findings({ main: `${HEAD}${steps}\n` });
    expect(found.map(([code, at]) => [code, at])).toEqual(expected.map(([code, at]) => [code, at]));
    expected.forEach(([, , says], index) => {
      if (says !== undefined) expect(found[index]![2]).toContain(says);
    });
  });
});

describe("workflows that call each other", () => {
  const calls = (...names: string[]) => `steps:\n${names.map((name, index) => `  - { id: s${index}, run: ${name} }\n`).join("")}`;

  test("in a circle are reported once, where the circle closes", () => {
    const found = findings({ a: calls("b"), b: calls("c"), c: calls("a") });
    expect(found.map(([code, at]) => [code, at])).toEqual([["cycle", "a"]]);
    expect(found[0]![2]).toContain("a → b → c → a");
    expect(compileTexts({ a: calls("b"), b: calls("c"), c: calls("a") }).diagnostics[0]!.file).toBe("flows/c.yaml");
  });

  test("themselves are reported once", () => {
    expect(findings({ self: calls("self") }).map(([code, at]) => [code, at])).toEqual([["cycle", "self"]]);
  });

  test("are compiled callees first, whatever the order of the files", () => {
    const outer = 'steps:\n  - { id: i, run: inner }\n  - { id: b, run: tone, with: { text: "${{ steps.i.output.nam }}" } }\n';
    const inner = 'steps:\n  - { id: a, set: { name: x } }\noutput: { name: "${{ steps.a.output.name }}" }\n';
    for (const texts of [
      { outer, inner },
      { inner, outer },
    ]) {
      const found = findings(texts);
      expect(found.map(([code, at]) => [code, at])).toEqual([["unknown-field", "nam"]]);
      expect(found[0]![2]).toContain('"name"?');
      expect([...compileTexts(texts).workflows.keys()]).toEqual(Object.keys(texts));
    }
  });

  test("check each other's input", () => {
    const inner = "input: { who: string }\nsteps:\n  - { id: a, set: { x: 1 } }\n";
    expect(findings({ inner, outer: calls("inner") }).map(([code, at]) => [code, at])).toEqual([["missing-field", "run"]]);
  });

  test("fall back on each other without a circle going unseen", () => {
    const text = "steps:\n  - { id: a, run: tone, with: { text: x }, onError: { run: main } }\n";
    expect(findings({ main: text }).map(([code, at]) => [code, at])).toEqual([["cycle", "main"]]);
  });
});

describe("a diagnostic", () => {
  test("names file, line, column and end", () => {
    const { diagnostics } = compileTexts({ main: `${HEAD}  - id: a\n    run: tone\n    with: { text: "é \${{ input.tikcet }}" }\n` });
    expect(diagnostics).toEqual([
      {
        code: "unknown-field",
        severity: "error",
        message: 'There is no field "tikcet".',
        hint: 'did you mean "ticket"?',
        file: "flows/main.yaml",
        line: 5,
        column: 32,
        endLine: 5,
        endColumn: 38,
      },
    ]);
  });

  test("finds its place on lines that end as on Windows", () => {
    const text = `${HEAD}  - id: a\n    run: tone\n    with:\n      text: >\n        one\n        \${{ input.tikcet }}\n`.replaceAll(
      "\n",
      "\r\n",
    );
    const [diagnostic] = compileTexts({ main: text }).diagnostics;
    expect([diagnostic!.line, diagnostic!.column]).toEqual([8, 19]);
  });
});
