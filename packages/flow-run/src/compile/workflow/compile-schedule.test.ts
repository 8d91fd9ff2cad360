import { describe, expect, it } from "vitest";
import { compileTexts, textAt } from "./__fixtures__/compile-text.ts";

const workflow = (schedule: string, input = "input: { topic: string, 'kind(enum)': [short, long], days?: integer }") => `${input}
schedule: ${schedule}
steps:
  - { id: a, set: { done: true } }
`;

function compiled(schedule: string, input?: string) {
  const text = workflow(schedule, input);
  const { workflows, diagnostics } = compileTexts({ nightly: text });
  return {
    schedule: workflows.get("nightly")!.schedule,
    problems: diagnostics.map((diagnostic) => ({ ...diagnostic, at: textAt(text, diagnostic) })),
  };
}

describe("the schedule of a workflow", () => {
  it("is in the bundle, with UTC and an empty input unless others are given", () => {
    expect(compiled("{ cron: ' 0 9 * * * ' }", "")).toEqual({ schedule: { cron: "0 9 * * *", timezone: "UTC", input: {} }, problems: [] });
    expect(compiled("{ cron: '@daily', timezone: Europe/Berlin, input: { topic: '$${{ x }}', kind: long } }")).toEqual({
      schedule: { cron: "@daily", timezone: "Europe/Berlin", input: { topic: "${{ x }}", kind: "long" } },
      problems: [],
    });
  });

  it("has the defaults of the input's schema filled in", () => {
    const input = "input: { type: object, properties: { days: { type: integer, default: 7 } } }";
    expect(compiled("{ cron: '@daily' }", input).schedule?.input).toEqual({ days: 7 });
  });

  it.each([
    ["{ cron: '0 25 * * *' }", "", "bad-cron", "'0 25 * * *'", /25/, /minute hour day-of-month/],
    ["{ cron: '@dayly' }", "", "bad-cron", "'@dayly'", /no "@dayly"/, /"@daily"/],
    [
      "{ cron: '@daily', timezone: Europe/Belrin }",
      "",
      "unknown-timezone",
      "Europe/Belrin",
      /no time zone "Europe\/Belrin"/,
      /"Europe\/Berlin"/,
    ],
    ["{ cron: '@daily', timezone: +02:00 }", "", "unknown-timezone", "+02:00", /no time zone/, /IANA/],
    ["{ cron: '@daily' }", "input: { topic: string }", "missing-field", "schedule", /"topic" is missing/, /add topic/],
    ["{ cron: '@daily', input: {} }", "input: { topic: string }", "missing-field", "input", /"topic" is missing/, /add topic/],
    ["{ cron: '@daily', input: { topic: x, kind: short, dasy: 2 } }", undefined, "unknown-field", "dasy", /no field "dasy"/, /"days"/],
    ["{ cron: '@daily', input: { topic: x, kind: middle } }", undefined, "type-mismatch", "middle", /./, undefined],
    ["{ cron: '@daily', input: { topic: x, kind: short, days: soon } }", undefined, "type-mismatch", "soon", /./, undefined],
    ["{ cron: '@daily', input: text }", undefined, "type-mismatch", "text", /./, undefined],
    [
      "{ cron: '@daily', input: { topic: '${{ input.topic }}', kind: short } }",
      undefined,
      "not-available-here",
      "'${{ input.topic }}'",
      /no run yet/,
      /`set` step/,
    ],
    ["{ cron: '@daily', input: { list: [1, '${{'] } }", "", "not-available-here", "'${{'", /no run yet/, /`set` step/],
    [
      "{ cron: '@daily', input: { list: [1, 200] } }",
      "input: { type: object, properties: { list: { type: array, items: { maximum: 100 } } } }",
      "invalid-value",
      "200",
      /100/,
      undefined,
    ],
  ])("%s is a mistake at its place", (schedule, input, code, at, message, hint) => {
    const { problems } = compiled(schedule, input);
    expect(problems).toEqual([expect.objectContaining({ code, at, message: expect.stringMatching(message) })]);
    if (hint !== undefined) expect(problems[0]!.hint).toMatch(hint);
  });

  it("has all its mistakes reported at once", () => {
    const { problems } = compiled("{ cron: 'x', timezone: y, input: { z: '${{ 1 }}', a: '${{ 2 }}' } }");
    expect(problems.map(({ code }) => code)).toEqual(["bad-cron", "unknown-timezone", "not-available-here", "not-available-here"]);
  });
});
