import type { Feedback } from "@flow-run/spec";
import { printable, type Terminal } from "../terminal.ts";
import { table } from "./table.ts";

/** One row each. */
export function feedbackView(feedback: readonly Feedback[], { style }: Terminal): string {
  const line = (text: string) => printable(text).replaceAll("\n", " ");
  const head = ["feedback", "value", "step", "author", "at", "comment"].map((title) => style("dim", title));
  const rows = feedback.map(({ name, value, step, author, createdAt, comment }) => [
    name,
    line(String(value)),
    line(step ?? ""),
    line(author ?? ""),
    createdAt,
    line(comment ?? ""),
  ]);
  return table([head, ...rows]);
}
