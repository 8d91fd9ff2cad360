import { stripVTControlCharacters } from "node:util";

/** Columns that line up; the last column is not padded. Cells may be coloured. */
export function table(rows: readonly (readonly string[])[], options: { right?: readonly number[] } = {}): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, width(cell))));
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const space = " ".repeat(widths[column]! - width(cell));
          if (options.right?.includes(column)) return space + cell;
          return column === row.length - 1 ? cell : cell + space;
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
