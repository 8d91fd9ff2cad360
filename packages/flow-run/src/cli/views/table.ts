import { displayWidth } from "./display-width.ts";

/** Columns that line up; the last column is not padded. Cells may be coloured. `right`: columns of numbers. */
export function table(rows: readonly (readonly string[])[], options: { right?: readonly number[] } = {}): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
  }
  // A column without anything in it is left out.
  const shown = [...widths.keys()].filter((column) => rows.slice(1).some((row) => (row[column] ?? "") !== ""));
  return rows
    .map((row) =>
      shown
        .map((column) => {
          const cell = row[column] ?? "";
          const space = " ".repeat(widths[column]! - displayWidth(cell));
          return options.right?.includes(column) ? space + cell : cell + space;
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
