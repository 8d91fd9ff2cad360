import type { CallCost, RunCosts } from "@flow-run/spec";
import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";
import { table } from "../views/table.ts";

/** How the cost of a run comes about, line by line. */
export async function costsExplain(
  { terminal, options }: { terminal: Terminal; options: CommonOptions & { env: string } },
  id: string,
): Promise<number> {
  const client = await connect(options.env, options.project);
  const explained = await client.runCosts(id);
  if (options.json) terminal.json(explained);
  else terminal.out(view(explained, terminal));
  return EXIT.fine;
}

const BUCKETS = {
  input: "input",
  output: "output",
  cacheRead: "cache read",
  cacheWrite: "cache write",
  cacheWrite1h: "cache write 1h",
  reasoning: "reasoning",
} as const;

function view({ run, flow, release, calls, costUsd, pricedCostUsd, unpricedCalls }: RunCosts, { style }: Terminal): string {
  const head = `${style("bold", run)}  ${printable(flow)}  ${style("dim", `release ${release}`)}`;
  if (calls.length === 0) return `${head}\nThe run has called no model: it cost nothing.\n`;
  const titles = ["step", "try", "model", "tokens", "", "$ per million", "$", "prices"].map((title) => style("dim", title));
  const rows = calls.flatMap((call) => rowsOf(call, style));
  const sum = ["", "", "", "", "", style("bold", "sum"), style("bold", exact(pricedCostUsd)), ""];
  const notes =
    unpricedCalls > 0
      ? [
          style(
            "yellow",
            `${unpricedCalls} ${unpricedCalls === 1 ? "call has" : "calls have"} no known cost, so that of the run is not known; the sum is that of the others.`,
          ),
        ]
      : costUsd !== null && exact(costUsd) !== exact(pricedCostUsd)
        ? [style("dim", "The run goes on; calls were booked while this was read.")]
        : [];
  return `${[head, table([titles, ...rows, sum], { right: [1, 3, 5, 6] }), ...notes].join("\n")}\n`;
}

function rowsOf(call: CallCost, style: Terminal["style"]): string[][] {
  const who = [printable(call.step), String(call.number), printable(`${call.provider}/${call.model}`)];
  const version = call.priceVersion ?? "";
  if (call.cached) return [[...who, "", "from the cache", "", exact(0), ""]];
  if (call.costUsd === null) return [[...who, "", whyUnknown(call), "", style("yellow", "unknown"), ""]];
  if (call.usage === null) return [[...who, "", "not billed", "", exact(call.costUsd), ""]];
  if (call.lines === null) {
    const tokens = Object.values(call.usage).reduce((sum, count) => sum + count, 0);
    return [[...who, String(tokens), "as booked", "", exact(call.costUsd), version]];
  }
  if (call.lines.length <= 1) {
    const [line] = call.lines;
    const cells = line === undefined ? ["0", "", ""] : [String(line.tokens), BUCKETS[line.bucket], String(line.usdPerMillion)];
    return [[...who, ...cells, exact(call.costUsd), version]];
  }
  return call.lines.map((line, index) => [
    ...(index === 0 ? who : ["", "", ""]),
    String(line.tokens),
    BUCKETS[line.bucket],
    String(line.usdPerMillion),
    exact(line.costUsd),
    index === 0 ? version : "",
  ]);
}

function whyUnknown({ status, usage }: CallCost): string {
  if (status === "started") return "under way";
  if (status === "unknown") return "its end was never heard";
  return usage === null ? "the vendor told no usage" : "no price is known for the model";
}

const DOLLARS = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 14, useGrouping: false });

/** Dollars with all their digits, without a float's noise. */
function exact(usd: number): string {
  return DOLLARS.format(usd);
}
