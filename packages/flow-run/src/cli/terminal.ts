import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Where a command speaks: results go to `out`, everything else to `err`. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Text of a model as it is for a program that reads it, harmless when a person does. */
  outText(text: string): void;
  /** The one document of `--json`. Marks that a terminal would obey are written as escapes, which mean the same. */
  json(value: unknown): void;
  /** Colours the text when a terminal that wants colour shows it; `on` says where the text goes, standard output unless told otherwise. */
  style(style: Style, text: string, on?: "out" | "err"): string;
  /** Whether standard output is read by a person. */
  readonly outIsTerminal: boolean;
  /** Whether progress may be drawn on standard error. */
  readonly errIsTerminal: boolean;
  readonly columns: number;
}

export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  const wantsColor = (stream: NodeJS.WriteStream) =>
    !process.env.NO_COLOR && (process.env.FORCE_COLOR ? process.env.FORCE_COLOR !== "0" : stream.isTTY && process.env.TERM !== "dumb");
  const color = { out: wantsColor(stdout), err: wantsColor(stderr) };
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    outText: (text) => void stdout.write(stdout.isTTY ? printable(text) : text),
    json: (value) => void stdout.write(`${printable(JSON.stringify(value, null, 2))}\n`),
    style: (style, text, on = "out") => (color[on] ? styleText(style, text, { validateStream: false }) : text),
    outIsTerminal: stdout.isTTY === true,
    errIsTerminal: stderr.isTTY === true,
    columns: stdout.columns || 100,
  };
}

/** The same terminal for what is written to standard error: colours as that wants them. */
export function errorSide(terminal: Terminal): Terminal {
  return { ...terminal, style: (style, text, on = "err") => terminal.style(style, text, on) };
}

const COMMANDS_AND_MARKS = /\r\n|[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/gu;

/** Text of a model or of a user, harmless on a terminal: control characters and marks that turn the reading direction are shown, not obeyed. */
export function printable(text: string): string {
  return text.replace(COMMANDS_AND_MARKS, (found) => {
    if (found === "\n" || found === "\t") return found;
    if (found === "\r\n") return "\n";
    return `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
