import type { CostGroup, CostLine, CostReport } from "@flow-run/spec";
import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";
import { money } from "../views/money.ts";
import { table } from "../views/table.ts";

interface Options extends CommonOptions {
  env: string;
  groupBy: string;
  from?: string;
  to?: string;
}

/** What runs of an environment have cost. */
export async function costs({ terminal, options }: { terminal: Terminal; options: Options }): Promise<number> {
  const client = await connect(options.env, options.project);
  const report = await client.costs({ groupBy: options.groupBy.split(",") as CostGroup[], from: options.from, to: options.to });
  if (options.json) terminal.json(report);
  else {
    terminal.out(view(report, terminal));
    if (report.truncated)
      terminal.err(terminal.style("dim", "There are more lines; name fewer groups or a shorter time. The total is that of all.\n"));
  }
  return EXIT.fine;
}

function view({ environment, groupBy, from, to, costs: lines, total }: CostReport, { style }: Terminal): string {
  const span = style("dim", `${environment}, ${from} to ${to}, UTC`);
  if (lines.length === 0 && total.usage.calls === 0 && (total.runs ?? 0) === 0) return `${span}\nNothing ran in this time.\n`;
  const row = (line: Omit<CostLine, CostGroup>, names: string[]) => {
    const { usage, runs, pricedCostUsd, unpricedCalls } = line;
    return [
      ...names,
      runs === null ? "" : String(runs),
      String(usage.calls),
      String(usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens),
      String(usage.outputTokens + usage.reasoningTokens),
      cost(pricedCostUsd, unpricedCalls, usage.calls),
    ];
  };
  const head = [...groupBy, "runs", "calls", "in", "out", "cost"].map((title) => style("dim", title));
  const rows = lines.map((line) =>
    row(
      line,
      groupBy.map((group) => printable(String(line[group]))),
    ),
  );
  const sum = row(
    total,
    groupBy.map((_, index) => (index === 0 ? "total" : "")),
  );
  const right = [groupBy.length, groupBy.length + 1, groupBy.length + 2, groupBy.length + 3];
  return `${span}\n${table([head, ...rows, ...(groupBy.length > 0 ? [sum.map((cell) => style("bold", cell))] : [sum])], { right })}\n`;
}

/** What is not known is said, and never counts as nothing. */
function cost(pricedUsd: number, unpriced: number, calls: number): string {
  if (unpriced === 0) return money(pricedUsd);
  const unknown = `${unpriced} ${unpriced === 1 ? "call" : "calls"} unknown`;
  return unpriced === calls && pricedUsd === 0 ? unknown : `${money(pricedUsd)} + ${unknown}`;
}
