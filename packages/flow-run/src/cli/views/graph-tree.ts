import { findTicks, showSchema } from "../../compile/index.ts";
import type { FlowGraph, FlowNode, StepNode } from "../graph/flow-graph.ts";
import { actionWords, careWords, forEachWords, limitWords, modelWords, repeatWords } from "../graph/step-words.ts";
import { printable, type Terminal } from "../terminal.ts";
import { displayWidth } from "./display-width.ts";

/** One line of the tree and what hangs below it. */
interface Branch {
  /** Coloured, harmless. */
  head: string;
  /** Said about it, one fact a line. */
  notes: string[];
  branches: Branch[];
}

/** A flow as a tree: its steps in order, workflows that it calls unfolded where they are met first. `nowMs` tells when a schedule is due next. */
export function graphTree({ flow, flows }: FlowGraph, nowMs: number, terminal: Terminal): string {
  const unfolded = new Set([flow]);
  const root = flows[flow]!;
  const tree = flowBranch(root, nowMs, terminal);
  tree.branches = (root.steps ?? []).map((step) => stepBranch(step, flows, unfolded, terminal));
  tree.branches.push({ head: `${terminal.style("dim", "output")}  ${shown(showSchema(root.output))}`, notes: [], branches: [] });
  // In a pipe lines are as long as they are: whoever reads them there searches in them.
  const columns = terminal.outIsTerminal ? Math.max(20, terminal.columns) : Number.POSITIVE_INFINITY;
  return `${lines(tree, "", "", columns, terminal).join("\n")}\n`;
}

function flowBranch(flow: FlowNode, nowMs: number, { style }: Terminal): Branch {
  const { limits, schedule, model } = flow;
  const fact = (name: string, text: string) => `${style("dim", name.padEnd(9))}${shown(text)}`;
  const notes = [
    ...(flow.description === null ? [] : [shown(flow.description)]),
    ...(model === undefined ? [] : [fact("model", modelWords(model))]),
    ...(schedule === undefined ? [] : [fact("schedule", scheduleWords(schedule, nowMs))]),
    ...(limits === undefined ? [] : [fact("limits", limitWords(limits))]),
    fact("input", showSchema(flow.input)),
  ];
  return { head: `${style("bold", shown(flow.name))}  ${flow.kind}  ${style("dim", shown(flow.file))}`, notes, branches: [] };
}

function scheduleWords({ cron, timezone, input }: NonNullable<FlowNode["schedule"]>, nowMs: number): string {
  const next = findTicks(cron, timezone).next(nowMs);
  const due = next === null ? "" : `, next ${new Date(next).toISOString().replace(".000Z", "Z")}`;
  return `${cron} (${timezone})${due}, with ${JSON.stringify(input)}`;
}

function stepBranch(step: StepNode, flows: FlowGraph["flows"], unfolded: Set<string>, terminal: Terminal): Branch {
  const { style } = terminal;
  const care = careWords(step);
  const notes = [
    ...(step.if === undefined ? [] : [`${style("yellow", "if")} ${shown(step.if)}`]),
    ...(step.forEach === undefined ? [] : [styled("cyan", shown(forEachWords(step.forEach)), terminal)]),
    ...(step.repeat === undefined ? [] : [styled("cyan", shown(repeatWords(step.repeat)), terminal)]),
    ...(care.length === 0 ? [] : [styled("dim", shown(care.join(" · ")), terminal)]),
  ];
  const head = step.id === null ? style("magenta", "parallel") : `${style("bold", step.id)}  ${shown(actionWords(step, flows))}`;
  const branches = (step.steps ?? []).map((each) => stepBranch(each, flows, unfolded, terminal));
  const branch = { head, notes, branches };
  if (step.flow !== undefined) unfold(branch, flows[step.flow], flows, unfolded, terminal);
  if (typeof step.onError === "object") {
    const called = flows[step.onError.run];
    const rescue = { head: `${style("red", "on error")}  ${called?.kind ?? "flow"} ${shown(step.onError.run)}`, notes: [], branches: [] };
    unfold(rescue, called, flows, unfolded, terminal);
    branches.push(rescue);
  }
  return branch;
}

/** Adds what a called flow consists of. */
function unfold(branch: Branch, called: FlowNode | undefined, flows: FlowGraph["flows"], unfolded: Set<string>, terminal: Terminal): void {
  const { style } = terminal;
  if (called?.model !== undefined) branch.notes.unshift(`${style("dim", "model")} ${shown(modelWords(called.model))}`);
  if (called?.steps === undefined) return;
  if (unfolded.has(called.name)) {
    branch.head += ` ${style("dim", "(steps above)")}`;
    return;
  }
  unfolded.add(called.name);
  if (called.limits !== undefined) branch.notes.push(`${style("dim", "limits")} ${shown(limitWords(called.limits))}`);
  branch.branches.push(...called.steps.map((each) => stepBranch(each, flows, unfolded, terminal)));
}

/** Word by word, so that a colour ends with the line that the text is broken at. */
function styled(format: Parameters<Terminal["style"]>[0], text: string, { style }: Terminal): string {
  return text
    .split(" ")
    .map((word) => style(format, word))
    .join(" ");
}

/** Text of an author: harmless, and on one line. */
function shown(text: string): string {
  return printable(text).replaceAll(/\s*[\n\t]\s*/g, " ");
}

/** `first` stands before the first line, `rest` before those below it. */
function lines({ head, notes, branches }: Branch, first: string, rest: string, columns: number, terminal: Terminal): string[] {
  const { style } = terminal;
  const stem = branches.length > 0 ? "│  " : "   ";
  const own = [
    ...wrapped(head, style("dim", first), style("dim", `${rest}${stem}`), columns),
    ...notes.flatMap((note) => wrapped(note, style("dim", `${rest}${stem}`), style("dim", `${rest}${stem}  `), columns)),
  ];
  const below = branches.flatMap((branch, index) => {
    const isLast = index === branches.length - 1;
    return lines(branch, `${rest}${isLast ? "└─ " : "├─ "}`, `${rest}${isLast ? "   " : "│  "}`, columns, terminal);
  });
  return [...own, ...below];
}

/** Broken at blanks, so that it fits; a word that is longer than a line stays whole. */
function wrapped(text: string, first: string, rest: string, columns: number): string[] {
  const found: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(/(?<=\S) (?=\S)/)) {
    if (!isEmpty && displayWidth(line) + 1 + displayWidth(word) > columns) {
      found.push(line);
      line = rest;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...found, line].map((each) => each.trimEnd());
}
