import type { CostGroup, CostLine, CostReport } from "@flow-run/spec";
import type { CostQuestion } from "../cost-store.ts";
import type { Database } from "../database/index.ts";
import { toUsd } from "./run-columns.ts";

/** Lines of one answer. */
const MOST_LINES = 1_000;
const DEFAULT_DAYS = 30;
/** Longer than other statements may take: it may have to add up the calls of many runs. */
const TIMEOUT_MS = 60_000;

const SUMS = [
  "runs",
  "calls",
  "cache_hits",
  "unpriced_calls",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "reasoning_tokens",
  "cost_nano_usd",
] as const;

/** Of a run `r`: the row itself has the sums of its calls. */
const OF_RUNS = `
  SELECT 1 AS runs, r.calls, r.cache_hits, r.unpriced_calls, r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_tokens,
    r.reasoning_tokens, r.cost_nano_usd, r.flow, r.release, day_of.day, NULL AS provider, NULL AS model`;

/** Of its calls `a`; those that are under way are no calls yet. */
const OF_CALLS = `
  SELECT 0 AS runs, (NOT a.cached)::int AS calls, a.cached::int AS cache_hits, (a.cost_nano_usd IS NULL)::int AS unpriced_calls,
    a.input_tokens, a.output_tokens, a.cache_read_tokens, a.cache_write_tokens, a.reasoning_tokens, a.cost_nano_usd, r.flow, r.release,
    day_of.day, a.provider, a.model`;

const RUNS = `
  FROM span CROSS JOIN flow_run.run AS r CROSS JOIN LATERAL (SELECT (r.created_at AT TIME ZONE 'UTC')::date AS day) AS day_of`;

const WANTED_RUNS = `
  WHERE r.environment = $1 AND r.pruned_at IS NULL
    AND r.created_at >= span.first::timestamp AT TIME ZONE 'UTC' AND r.created_at < (span.last + 1)::timestamp AT TIME ZONE 'UTC'`;

/** `$1` environment, `$2` and `$3` first and last day. The line of the empty grouping set is the total. */
function costsSql(groupBy: readonly CostGroup[]): string {
  const byCall = groupBy.includes("model") || groupBy.includes("provider");
  const live = byCall
    ? `${OF_CALLS}${RUNS} JOIN flow_run.attempt AS a ON a.run_id = r.id${WANTED_RUNS} AND (a.finished_at IS NOT NULL OR a.given_up_at IS NOT NULL)`
    : `${OF_RUNS}${RUNS}${WANTED_RUNS}`;
  const columns = groupBy.map((group) => `part.${group}`);
  const order = [...(groupBy.includes("day") ? ["day"] : []), "cost_nano_usd DESC", ...groupBy];
  return `
WITH span AS MATERIALIZED (
  SELECT first, last FROM (
    SELECT coalesce($2::date, least($3::date, today) - ${DEFAULT_DAYS - 1}) AS first, coalesce($3::date, today) AS last
    FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS clock
  ) AS days
), part AS (${live}
  UNION ALL
  SELECT ${SUMS.map((sum) => `c.${sum}`).join(", ")}, c.flow, c.release, c.day, c.provider, c.model
  FROM span CROSS JOIN flow_run.cost_rollup AS c
  WHERE c.environment = $1 AND c.day BETWEEN span.first AND span.last ${byCall ? "AND c.provider <> ''" : ""}
)
SELECT span.first::text AS first, span.last::text AS last, sums.*
FROM span LEFT JOIN LATERAL (
  SELECT ${[...groupBy.map((group) => (group === "day" ? "part.day::text AS day" : `part.${group}`)), ...SUMS.map((sum) => `coalesce(sum(part.${sum}), 0)::bigint AS ${sum}`)].join(", ")},
    ${columns.length === 0 ? "true" : `grouping(${columns.join(", ")}) <> 0`} AS total
  FROM part
  GROUP BY GROUPING SETS (${columns.length === 0 ? "" : `(${columns.join(", ")}), `}())
  ORDER BY total DESC, ${order.join(", ")}
  LIMIT ${MOST_LINES + 2}
) AS sums ON true`;
}

type Row = Record<(typeof SUMS)[number], number | bigint> &
  Partial<Record<CostGroup, string | number>> & { first: string; last: string; total: boolean };

export async function readCosts(database: Database, { environment, groupBy, from, to }: CostQuestion): Promise<CostReport> {
  const rows = await database.query<Row>(costsSql(groupBy), [environment, from, to], { timeoutMs: TIMEOUT_MS });
  const total = rows.find((row) => row.total)!;
  const lines = rows.filter((row) => !row.total);
  const byCall = groupBy.includes("model") || groupBy.includes("provider");
  return {
    environment,
    groupBy: [...groupBy],
    from: total.first,
    to: total.last,
    costs: lines.slice(0, MOST_LINES).map((row) => ({ ...names(row, groupBy), ...sums(row, byCall) })),
    total: sums(total, byCall),
    truncated: lines.length > MOST_LINES,
  };
}

function names(row: Row, groupBy: readonly CostGroup[]): Partial<CostLine> {
  return Object.fromEntries(groupBy.map((group) => [group, row[group]]));
}

function sums(row: Row, byCall: boolean): CostReport["total"] {
  const unpricedCalls = Number(row.unpriced_calls);
  const pricedCostUsd = toUsd(row.cost_nano_usd);
  return {
    runs: byCall ? null : Number(row.runs),
    usage: {
      inputTokens: Number(row.input_tokens),
      outputTokens: Number(row.output_tokens),
      cacheReadTokens: Number(row.cache_read_tokens),
      cacheWriteTokens: Number(row.cache_write_tokens),
      reasoningTokens: Number(row.reasoning_tokens),
      calls: Number(row.calls),
      cacheHits: Number(row.cache_hits),
    },
    costUsd: unpricedCalls > 0 ? null : pricedCostUsd,
    pricedCostUsd,
    unpricedCalls,
  };
}
