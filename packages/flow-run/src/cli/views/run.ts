import type { Attempt, Json, Run, Step } from "@flow-run/spec";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";
import { cutTo } from "./display-width.ts";
import { duration, money } from "./money.ts";
import { table } from "./table.ts";

const COLORS = {
  succeeded: "green",
  failed: "red",
  cancelled: "yellow",
  running: "cyan",
  waiting: "cyan",
  queued: "dim",
  skipped: "dim",
} as const;

export function status(run: { status: keyof typeof COLORS }, { style }: Terminal): string {
  return style(COLORS[run.status], run.status);
}

/** Output as a person reads it, not yet made harmless: text as it is, everything else as indented JSON. */
export function outputText(output: Json): string {
  return typeof output === "string" ? output : JSON.stringify(output, null, 2);
}

/** One line of sums: time, tokens, calls, cost. */
export function runSummary(run: Run, terminal: Terminal): string {
  const { usage } = run;
  const input = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const output = usage.outputTokens + usage.reasoningTokens;
  const parts = [status(run, terminal)];
  if (run.startedAt && run.finishedAt) parts.push(duration(Date.parse(run.finishedAt) - Date.parse(run.startedAt)));
  parts.push(`${usage.calls} ${usage.calls === 1 ? "call" : "calls"}`, `${input} + ${output} tokens`, `cost ${money(run.costUsd)}`);
  if (usage.cacheHits > 0) parts.push(`${usage.cacheHits} from cache`);
  if (run.unpricedCalls > 0) parts.push(`${run.unpricedCalls} ${run.unpricedCalls === 1 ? "call" : "calls"} without a known price`);
  return parts.join(terminal.style("dim", " · "));
}

/** A run with the timeline of its steps. */
export function runView(run: Run, steps: readonly Step[], terminal: Terminal): string {
  const { style } = terminal;
  const place = `${run.environment}, ${run.release === 0 ? "no release" : `release ${run.release}`}, created ${run.createdAt}`;
  const lines = [`${style("bold", run.id)}  ${printable(run.flow)}  ${style("dim", printable(place))}`, runSummary(run, terminal)];
  if (run.replayOf) {
    const { run: of, from } = run.replayOf;
    lines.push(style("dim", `replays ${of}${from === null ? "" : ` from ${printable(from)}`}`));
  }
  if (run.tags.length > 0) lines.push(style("dim", `tags ${printable(run.tags.join(", "))}`));
  if (run.feedbackCount > 0) lines.push(style("dim", `feedback ${run.feedbackCount}; flow-run runs feedback ${run.id} lists it`));
  if (steps.length > 0) lines.push("", stepsView(run, steps, terminal));
  if (run.error) {
    const { code, message, step } = run.error;
    lines.push("", `${style("red", "error")} [${code}] ${printable(message)}${step ? ` (step ${printable(step)})` : ""}`);
  }
  if (run.contentsPrunedAt !== undefined) {
    lines.push("", style("dim", `input and output were removed on ${run.contentsPrunedAt}, as the environment's retention says`));
    return `${lines.join("\n")}\n`;
  }
  lines.push("", style("dim", "input"), printable(outputText(run.input)));
  if (run.status === "succeeded") lines.push("", style("dim", "output"), printable(outputText(run.output)));
  return `${lines.join("\n")}\n`;
}

const LONGEST_NOTE = 100;

/** One row a step; the attempts of a step below it when there was more than one or one failed. */
export function stepsView(run: Run, steps: readonly Step[], terminal: Terminal): string {
  const { style } = terminal;
  const titles = ["step", "kind", "status", "at", "took", "model", "in", "out", "cost", ""];
  const rows: string[][] = [titles.map((title) => style("dim", title))];
  const from = Date.parse(run.startedAt ?? run.createdAt);
  const at = (startedAt: string) => `+${duration(Math.max(0, Date.parse(startedAt) - from))}`;
  const note = (error: { code: string; message: string } | null) =>
    error ? style("red", cutTo(printable(`${error.code}: ${error.message}`).replaceAll("\n", " "), LONGEST_NOTE)) : "";
  for (const step of steps) {
    const { attempts } = step;
    const last = attempts.at(-1);
    const listed = attempts.length > 1 || attempts.some((attempt) => attempt.error);
    rows.push([
      printable(step.path),
      step.kind,
      style(COLORS[step.status], step.status),
      step.copied ? "" : at(step.startedAt),
      step.copied ? "" : took(step),
      last ? printable(`${last.provider}/${last.model}`) : "",
      tokens(attempts, "in"),
      tokens(attempts, "out"),
      attempts.length === 0 ? "" : money(costOf(attempts)),
      listed ? "" : (remark(step, terminal) ?? note(step.error)),
    ]);
    if (!listed) continue;
    for (const attempt of attempts) {
      rows.push([
        style("dim", `  attempt ${attempt.number}`),
        "",
        style(attempt.error ? "red" : "dim", attempt.status),
        at(attempt.startedAt),
        took(attempt),
        printable(`${attempt.provider}/${attempt.model}`),
        tokens([attempt], "in"),
        tokens([attempt], "out"),
        style("dim", money(attempt.costUsd)),
        attempt.cached ? style("dim", "from cache") : note(attempt.error),
      ]);
    }
  }
  return table(rows, { right: [6, 7, 8] });
}

/** What is to be said of a step that did not do its work here. */
function remark({ copied, waitsFor, attempts, error }: Step, { style }: Terminal): string | null {
  if (waitsFor) {
    const until = `until ${waitsFor.dueAt}`;
    return style("dim", waitsFor.signal === null ? until : `for the signal ${printable(waitsFor.signal)}, ${until}`);
  }
  if (attempts.at(-1)?.cached) return style("dim", "from cache");
  return copied && !error ? style("dim", "copied") : null;
}

function took({ startedAt, finishedAt }: { startedAt: string; finishedAt: string | null }): string {
  return finishedAt === null ? "" : duration(Date.parse(finishedAt) - Date.parse(startedAt));
}

function tokens(attempts: readonly Attempt[], side: "in" | "out"): string {
  let sum = 0;
  let known = false;
  for (const { usage } of attempts) {
    if (!usage) continue;
    known = true;
    sum += side === "in" ? usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens : usage.outputTokens + usage.reasoningTokens;
  }
  return known ? String(sum) : "";
}

/** null as soon as one attempt has no known price. */
function costOf(attempts: readonly Attempt[]): number | null {
  let sum = 0;
  for (const { costUsd } of attempts) {
    if (costUsd === null) return null;
    sum += costUsd;
  }
  return sum;
}
