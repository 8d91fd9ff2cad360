import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Where a command speaks: results go to `out`, everything else to `err`. Handed to commands so that tests can listen. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Colours the text when standard error is a terminal that wants colour. */
  style(style: Style, text: string): string;
  /** Whether standard output is read by a person. */
  readonly outIsTerminal: boolean;
  /** Whether progress may be drawn on standard error. */
  readonly errIsTerminal: boolean;
  readonly columns: number;
}

export function processTerminal(): Terminal {
  const color = (process.stderr.isTTY || process.env.FORCE_COLOR !== undefined) && !process.env.NO_COLOR;
  return {
    out: (text) => write(process.stdout, text),
    err: (text) => write(process.stderr, text),
    style: (style, text) => (color ? styleText(style, text, { validateStream: false }) : text),
    outIsTerminal: process.stdout.isTTY === true,
    errIsTerminal: process.stderr.isTTY === true,
    columns: process.stdout.columns ?? 100,
  };
}

function write(stream: NodeJS.WriteStream, text: string): void {
  stream.write(text);
}

const ESCAPES = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text of a model or of a user, harmless on a terminal: control characters and bidirectional marks are shown, not obeyed. */
export function printable(text: string): string {
  return text.replace(ESCAPES, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
