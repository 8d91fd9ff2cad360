import { QUEUE } from "../queue/run-queue.ts";

/**
 * Runs of limited flows do not stand in the queue, where they would hide what is behind them, but in a line of their own each: their jobs are blocked. These
 * are parts of the statement that claims.
 */

/** Flows in whose lines runs stand, found by jumping along the index: a long line costs no more than a short one. */
const LINES = `
  (SELECT r.environment, r.flow FROM flow_run.run AS r WHERE r.line = 'queued' ORDER BY r.environment, r.flow LIMIT 1)
  UNION ALL
  SELECT n.environment, n.flow FROM line AS l CROSS JOIN LATERAL (
    SELECT r.environment, r.flow FROM flow_run.run AS r
    WHERE r.line = 'queued' AND (r.environment, r.flow) > (l.environment, l.flow) ORDER BY r.environment, r.flow LIMIT 1
  ) AS n`;

/** SQL that tells whether runs stand in any line. Where no limit was ever deployed it looks at an empty table. */
export const RUNS_IN_LINE = `(SELECT CASE WHEN EXISTS (SELECT FROM flow_run.concurrency_limit)
    THEN (SELECT true FROM flow_run.run AS r WHERE r.line = 'queued' ORDER BY r.environment, r.flow LIMIT 1) END IS NOT NULL)`;

/** SQL that tells whether runs of the flow of `run` (an alias) need a slot. */
export const isLimited = (run: string) =>
  `EXISTS (SELECT FROM flow_run.concurrency_limit AS c
      WHERE c.environment = ${run}.environment AND c.flow IN (${run}.flow, '') AND c.concurrency IS NOT NULL)`;

/**
 * Holds the right to give out slots in all environments in which runs stand in line. A statement of its own, before the one that counts: what was given out
 * while this one waited must be seen by the count.
 */
export const HOLD_SLOTS = `
WITH RECURSIVE line (environment, flow) AS (${LINES}
)
SELECT c.environment FROM flow_run.concurrency_limit AS c
WHERE c.flow = '' AND c.environment = ANY (ARRAY(SELECT l.environment FROM line AS l))
ORDER BY c.environment FOR UPDATE`;

/**
 * CTEs: `entry`, the jobs (`id`, `priority`, `created_on`, `aged`) that may leave their lines now, locked. `$1` how many at most; `agedShare` and
 * `agedAfter` as in the statement around it. Slots are counted, in the rows of those who hold them; nothing keeps a count.
 */
export function lineEntries(agedShare: string, agedAfter: string): string {
  return `
line (environment, flow) AS (${LINES}
), slots AS MATERIALIZED (
  SELECT l.environment, l.flow,
    CASE WHEN f.concurrency IS NULL THEN $1::int ELSE least($1::int, f.concurrency
      - (SELECT count(*) FROM flow_run.run AS r WHERE r.line = 'running' AND r.environment = l.environment AND r.flow = l.flow)) END AS flow_free,
    CASE WHEN e.concurrency IS NULL THEN $1::int ELSE least($1::int, e.concurrency
      - (SELECT count(*) FROM flow_run.run AS r WHERE r.line = 'running' AND r.environment = l.environment)) END AS environment_free
  FROM line AS l
  LEFT JOIN flow_run.concurrency_limit AS f ON f.environment = l.environment AND f.flow = l.flow
  LEFT JOIN flow_run.concurrency_limit AS e ON e.environment = l.environment AND e.flow = ''
), head AS MATERIALIZED (
  SELECT s.environment, s.flow, s.flow_free, s.environment_free, r.job_id, r.priority, r.created_at, r.aged
  FROM slots AS s CROSS JOIN LATERAL (
    (SELECT r.job_id, r.priority, r.created_at, false AS aged FROM flow_run.run AS r
      WHERE r.line = 'queued' AND r.environment = s.environment AND r.flow = s.flow
      ORDER BY r.priority DESC, r.created_at LIMIT greatest(0, least(s.flow_free, s.environment_free)))
    UNION ALL
    (WITH RECURSIVE longest (job_id, priority, created_at) AS (
        (SELECT r.job_id, r.priority, r.created_at FROM flow_run.run AS r
          WHERE r.line = 'queued' AND r.environment = s.environment AND r.flow = s.flow AND ${agedShare} > 0
          ORDER BY r.priority DESC, r.created_at LIMIT 1)
        UNION ALL
        SELECT n.* FROM longest AS l CROSS JOIN LATERAL (
          SELECT r.job_id, r.priority, r.created_at FROM flow_run.run AS r
          WHERE r.line = 'queued' AND r.environment = s.environment AND r.flow = s.flow AND r.priority < l.priority
          ORDER BY r.priority DESC, r.created_at LIMIT 1) AS n)
      SELECT l.job_id, l.priority, l.created_at, true FROM longest AS l WHERE l.created_at <= ${agedAfter}
      ORDER BY l.created_at LIMIT 1)
  ) AS r
  WHERE s.flow_free > 0 AND s.environment_free > 0
), ranked AS (
  SELECT h.*, row_number() OVER (PARTITION BY h.environment, h.flow ORDER BY h.aged DESC, h.priority DESC, h.created_at) AS of_flow
  FROM (SELECT DISTINCT ON (h.job_id) h.* FROM head AS h ORDER BY h.job_id, h.aged DESC) AS h
), admitted AS MATERIALIZED (
  SELECT a.job_id, a.aged FROM (
    SELECT r.*, row_number() OVER (PARTITION BY r.environment ORDER BY r.aged DESC, r.priority DESC, r.created_at) AS of_environment
    FROM ranked AS r WHERE r.of_flow <= r.flow_free
  ) AS a WHERE a.of_environment <= a.environment_free
), entry AS MATERIALIZED (
  SELECT j.ctid, j.id, j.priority, j.created_on, a.aged FROM admitted AS a CROSS JOIN LATERAL (
    SELECT j.ctid, j.id, j.priority, j.created_on FROM pgboss.job_common AS j
    WHERE j.name = '${QUEUE}' AND j.id = a.job_id AND j.blocked AND j.state < 'active' FOR UPDATE OF j SKIP LOCKED
  ) AS j
)`;
}
