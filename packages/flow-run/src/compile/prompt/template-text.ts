import { type Diagnostic, offsetPlace, type Severity, type SourceFile } from "@flow-run/spec";

/** Start and end as Handlebars counts them: lines from 1, columns from 0, the end exclusive. */
export interface TemplateLocation {
  start: { line: number; column: number };
  end: { line: number; column: number };
}

/** A template where it stands in its file, so that a place inside it becomes a place in the file. Line ends are `\n`. */
export class TemplateText {
  readonly file: string;
  readonly text: string;
  readonly #lines: string[];
  readonly #firstLine: number;
  readonly #firstColumn: number;

  /** `start`: offset in the file where the template begins; it goes on to the file's end. */
  constructor(file: SourceFile, start: number) {
    this.file = file.path;
    this.text = toLf(file.text.slice(start));
    this.#lines = this.text.split("\n");
    const { line, column } = offsetPlace(file.text, start);
    this.#firstLine = line;
    this.#firstColumn = column;
  }

  /** What the author wrote at a location within one line; empty for more lines. */
  slice({ start, end }: TemplateLocation): string {
    return start.line === end.line ? (this.#lines[start.line - 1] ?? "").slice(start.column, end.column) : "";
  }

  location(offset: number, length: number): TemplateLocation {
    const { line, column } = offsetPlace(this.text, offset);
    return { start: { line, column: column - 1 }, end: { line, column: column - 1 + length } };
  }

  diagnostic(severity: Severity, code: string, location: TemplateLocation, message: string, hint?: string): Diagnostic {
    const start = this.#place(location.start);
    const end = this.#place(location.end);
    return {
      code,
      severity,
      message,
      file: this.file,
      ...start,
      endLine: end.line,
      endColumn: end.column,
      ...(hint === undefined ? {} : { hint }),
    };
  }

  #place({ line, column }: { line: number; column: number }): { line: number; column: number } {
    return { line: this.#firstLine + line - 1, column: column + (line === 1 ? this.#firstColumn : 1) };
  }
}

/** Text with every line end as `\n`, so that a file means the same however Git checked it out. */
export function toLf(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}
