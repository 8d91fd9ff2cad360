import { createRequire } from "node:module";
import { suggest } from "@flow-run/spec";
import type { CronExpression, CronExpressionParser } from "cron-parser";

export type CronReading = { expression: CronExpression } | { problem: string; hint: string };

const SHORT_FORMS = [
  "@yearly",
  "@annually",
  "@monthly",
  "@weekly",
  "@daily",
  "@hourly",
  "@minutely",
  "@secondly",
  "@weekdays",
  "@weekends",
];

/** Fields from the right, so that five and six of them are counted alike, with how many values each has. */
const FIELDS: [name: string, values: number][] = [
  ["day of the week", 7],
  ["month", 12],
  ["day of the month", 31],
  ["hour", 24],
  ["minute", 60],
  ["second", 60],
];

const HINT = 'write "minute hour day-of-month month day-of-week", such as "0 9 * * MON-FRI"; a sixth field in front is seconds';

const NEVER = "No day is ever like this: none of the months has such a day.";

/** A time from which every expression that ever comes due comes due within the parser's patience. */
const SOME_TIME = Date.UTC(2000, 0, 1);

/**
 * Reads a cron expression of five fields, six with seconds, or a short form such as `@daily`. What the parser would take for something else than its
 * author meant is refused: missing fields, steps wider than their field, `H`, which is another value each time, and days that never come.
 */
export function readCron(cron: string): CronReading {
  const text = cron.trim();
  if (text.startsWith("@") && !SHORT_FORMS.includes(text)) {
    const near = suggest(text, SHORT_FORMS);
    return {
      problem: `There is no "${text}".`,
      hint: near === undefined ? `there are ${SHORT_FORMS.join(", ")}` : `did you mean "${near}"?`,
    };
  }
  const fields = text.split(/\s+/).toReversed();
  if (!text.startsWith("@")) {
    const problem = problemOf(fields);
    if (problem !== undefined) return { problem, hint: HINT };
  }
  let expression: CronExpression;
  try {
    expression = parser().parse(text, { tz: "UTC", currentDate: new Date(SOME_TIME) });
  } catch (error) {
    const { message } = error as Error;
    const problem = message.includes("explicit day of month")
      ? NEVER
      : `The cron expression cannot be read: ${message.replace(/\.$/, "")}.`;
    return { problem, hint: HINT };
  }
  try {
    expression.next();
    return { expression };
  } catch {
    return { problem: NEVER, hint: HINT };
  }
}

function problemOf(fields: readonly string[]): string | undefined {
  const count = fields[0] === "" ? 0 : fields.length;
  if (count < 5 || count > 6) return `A cron expression has five fields, or six with seconds; this has ${count === 0 ? "none" : count}.`;
  for (const [index, field] of fields.entries()) {
    const [name, values] = FIELDS[index]!;
    if (/\bH\b/i.test(field)) return `"H" in the field "${name}" stands for another value each time; write the value.`;
    const step = Number(/\/(\d+)/.exec(field)?.[1] ?? 1);
    if (step > values) return `The field "${name}" has only ${values} values; a step of ${step} is wider than that.`;
  }
  return undefined;
}

let loaded: typeof CronExpressionParser | undefined;

/** Loaded with the first schedule: most commands and most projects have none. */
function parser(): typeof CronExpressionParser {
  loaded ??= (createRequire(import.meta.url)("cron-parser") as typeof import("cron-parser")).CronExpressionParser;
  return loaded;
}
