import type { Step } from "@flow-run/spec";
import { errorSide, printable, type Terminal } from "../terminal.ts";
import { cutTo } from "./display-width.ts";
import { duration } from "./money.ts";

/** What is shown of a run while it is under way. */
export interface Progress {
  stepStarted(path: string): void;
  stepFinished(path: string, status: Step["status"], durationMs: number): void;
  attemptFailed(path: string, attempt: number, model: string, code: string): void;
  /** A step's model writes. */
  text(text: string, path: string): void;
  textRestarted(path: string): void;
  /** Takes away what is drawn; true when the output stands on standard output already. */
  end(): boolean;
}

const REDRAW_MS = 500;
const CLEAR = "\r\u001b[2K";

/** Shows nothing: for `--json`. */
export function silentProgress(): Progress {
  const nothing = () => {};
  return { stepStarted: nothing, stepFinished: nothing, attemptFailed: nothing, text: nothing, textRestarted: nothing, end: () => false };
}

/** The text of a single prompt on standard output as it comes. */
export function textProgress(terminal: Terminal): Progress {
  const { style } = errorSide(terminal);
  let last = "";
  return {
    ...silentProgress(),
    text(text) {
      terminal.outText(text);
      last = text.at(-1) ?? last;
    },
    textRestarted() {
      if (last === "") return;
      if (last !== "\n") terminal.out("\n");
      terminal.err(`${style("yellow", "The answer broke off; it is asked again.")}\n`);
      last = "";
    },
    attemptFailed: (_path, attempt, model, code) => terminal.err(`${failure(attempt, model, code, terminal)}\n`),
    end() {
      if (last !== "" && last !== "\n") terminal.out("\n");
      const shown = last !== "";
      last = shown ? "\n" : "";
      return shown;
    },
  };
}

/** A line for each step that ends, on standard error; on a terminal the steps under way below them. `showText`: also what models write, as it comes. */
export function stepProgress(terminal: Terminal, { showText = false } = {}): Progress {
  const { style } = errorSide(terminal);
  const underWay = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  /** Whose text the last line is; what others write meanwhile is held back, so that one can be read. */
  let writing: string | null = null;
  let last = "";
  const held = new Map<string, string>();
  const endText = () => {
    if (writing !== null && last !== "\n") terminal.err("\n");
    writing = null;
  };
  const draw = () => {
    if (!terminal.errIsTerminal || writing !== null) return;
    const now = Date.now();
    const list = [...underWay].map(
      ([path, since]) => `${printable(path)} ${duration(Math.floor((now - since) / 1000) * 1000 || now - since)}`,
    );
    terminal.err(CLEAR + (list.length > 0 ? style("dim", cutTo(`… ${list.join(", ")}`, terminal.columns - 1)) : ""));
  };
  const line = (text: string) => {
    endText();
    terminal.err(`${terminal.errIsTerminal ? CLEAR : ""}${text}\n`);
    draw();
  };
  const write = (path: string, text: string) => {
    if (writing !== path) line(style("dim", `${printable(path)}:`));
    if (writing === null && terminal.errIsTerminal) terminal.err(CLEAR);
    writing = path;
    terminal.err(printable(text));
    last = text.at(-1)!;
  };
  const release = (path: string) => {
    const text = held.get(path);
    held.delete(path);
    if (text !== undefined) write(path, text);
  };
  return {
    ...silentProgress(),
    stepStarted(path) {
      underWay.set(path, Date.now());
      if (terminal.errIsTerminal) timer ??= setInterval(draw, REDRAW_MS);
      draw();
    },
    stepFinished(path, status, durationMs) {
      underWay.delete(path);
      release(path);
      const marks: { [status: string]: string } = { failed: style("red", "✗"), skipped: style("dim", "–"), succeeded: style("green", "✓") };
      line(`${marks[status] ?? "…"} ${printable(path)} ${style("dim", status === "skipped" ? "skipped" : duration(durationMs))}`);
      const [next] = held.keys();
      if (next !== undefined) release(next);
    },
    attemptFailed: (path, attempt, model, code) => line(`  ${printable(path)}: ${failure(attempt, model, code, terminal)}`),
    text(text, path) {
      if (!showText || text === "") return;
      if (writing === null || writing === path) write(path, text);
      else held.set(path, (held.get(path) ?? "") + text);
    },
    textRestarted(path) {
      held.delete(path);
      if (writing === path) line(style("yellow", "The answer broke off; it is asked again."));
    },
    end() {
      endText();
      clearInterval(timer);
      if (timer !== undefined) terminal.err(CLEAR);
      timer = undefined;
      underWay.clear();
      return false;
    },
  };
}

function failure(attempt: number, model: string, code: string, terminal: Terminal): string {
  return errorSide(terminal).style("yellow", `attempt ${attempt} on ${printable(model)} failed: ${code}`);
}
