import type { Json, Run, Step } from "@flow-run/spec";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";
import { duration, money } from "./money.ts";
import { table } from "./table.ts";

const COLORS = { succeeded: "green", failed: "red", cancelled: "yellow", running: "cyan", waiting: "cyan", queued: "dim", skipped: "dim" } as const;

export function status(run: { status: keyof typeof COLORS }, { style }: Terminal): string {
  return style(COLORS[run.status], run.status);
}

/** Output as a person reads it: text as it is, everything else as indented JSON. */
export function outputView(output: Json): string {
  return printable(typeof output === "string" ? output : JSON.stringify(output, null, 2));
}

/** One line of sums: time, tokens, calls, cost. */
export function runSummary(run: Run, terminal: Terminal): string {
  const { usage } = run;
  const input = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const output = usage.outputTokens + usage.reasoningTokens;
  const parts = [status(run, terminal)];
  if (run.startedAt && run.finishedAt) parts.push(duration(Date.parse(run.finishedAt) - Date.parse(run.startedAt)));
  parts.push(`${usage.calls} ${usage.calls === 1 ? "call" : "calls"}`, `${input} + ${output} tokens`, `cost ${money(run.costUsd)}`);
  if (run.unpricedCalls > 0) parts.push(`${run.unpricedCalls} of the calls without a known price`);
  return parts.join(terminal.style("dim", " · "));
}

/** A run with the timeline of its steps. */
export function runView(run: Run, steps: readonly Step[], terminal: Terminal): string {
  const { style } = terminal;
  const lines = [
    `${style("bold", run.id)}  ${printable(run.flow)}  ${style("dim", `${run.environment}, release ${run.release || "none (local)"}`)}`,
    runSummary(run, terminal),
    "",
    stepsView(run, steps, terminal),
  ];
  if (run.error) lines.push("", `${style("red", "error")} [${run.error.code}] ${printable(run.error.message)}${run.error.step ? ` (step ${run.error.step})` : ""}`);
  if (run.status === "succeeded") lines.push("", style("dim", "output"), outputView(run.output));
  return `${lines.join("\n")}\n`;
}

/** One row a step; the attempts of a step below it when there was more than one or one failed. */
export function stepsView(run: Run, steps: readonly Step[], terminal: Terminal): string {
  const { style } = terminal;
  const from = Date.parse(run.startedAt ?? run.createdAt);
  const rows: string[][] = [["step", "kind", "status", "at", "took", "model", "in", "out", "cost"].map((title) => style("dim", title))];
  for (const step of steps) {
    const last = step.attempts.at(-1);
    const took = step.finishedAt ? Date.parse(step.finishedAt) - Date.parse(step.startedAt) : null;
    rows.push([
      printable(step.path),
      step.kind,
      style(COLORS[step.status], step.status),
      `+${duration(Math.max(0, Date.parse(step.startedAt) - from))}`,
      took === null ? "" : duration(took),
      last ? `${last.provider}/${last.model}` : "",
      tokens(step, "in"),
      tokens(step, "out"),
      step.attempts.length === 0 ? "" : money(costOf(step)),
    ]);
    if (step.attempts.length > 1 || step.attempts.some((attempt) => attempt.error)) {
      for (const attempt of step.attempts) {
        const what = attempt.error ? `${attempt.error.code}: ${printable(attempt.error.message).slice(0, 100)}` : (attempt.finishReason ?? "");
        rows.push([`  attempt ${attempt.number}`, "", style(attempt.error ? "red" : "dim", attempt.status), "", "", `${attempt.provider}/${attempt.model}`, "", "", what]);
      }
    }
  }
  return table(rows, { right: [6, 7] });
}

function tokens(step: Step, side: "in" | "out"): string {
  let sum = 0;
  let known = false;
  for (const { usage } of step.attempts) {
    if (!usage) continue;
    known = true;
    sum += side === "in" ? usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens : usage.outputTokens + usage.reasoningTokens;
  }
  return known ? String(sum) : "";
}

function costOf(step: Step): number | null {
  let sum = 0;
  for (const attempt of step.attempts) {
    if (attempt.costUsd === null) return null;
    sum += attempt.costUsd;
  }
  return sum;
}
