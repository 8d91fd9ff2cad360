import type { Prunable } from "../retention-store.ts";

/** When something is old enough and could not be pruned, it is looked at again after this. */
const LOOK_AGAIN = "interval '10 minutes'";
/** Whatever is not due is looked at again after this: what is kept may be kept for a shorter time by then. */
const AT_LATEST = "interval '1 day'";

/**
 * SQL common tables that find what is due: `$1` environment, `$2` milliseconds that it is kept, `$3` limit. They are called `sweep`, `page`, `again`,
 * `candidate`, `due` (rows of the table, locked), `postponed`, `settled` and `moved`.
 *
 * A page goes on where the one before ended, along the index by creation. What is in the page and not due is noted, with the moment at which it will be, and found
 * by that note later; so nothing is looked at over and over, however much is kept. The row of the sweep is held meanwhile: other processes skip it.
 *
 * `table` must have an index on (environment, created_at, id). `isDue` is a condition on a row `t` beside its age, `isDone` says that nothing is left to prune.
 */
export function duePage(what: Prunable, table: string, isDue: string, isDone: string): string {
  const age = "$2::float8 * interval '1 millisecond'";
  return `
sweep AS MATERIALIZED (
  SELECT s.position, s.position_id FROM flow_run.retention_sweep AS s WHERE s.environment = $1 AND s.what = '${what}' FOR UPDATE SKIP LOCKED
), page AS MATERIALIZED (
  SELECT p.id, p.created_at FROM sweep AS s CROSS JOIN LATERAL (
    SELECT t.id, t.created_at FROM ${table} AS t
    WHERE t.environment = $1 AND (t.created_at, t.id) > (s.position, s.position_id) AND t.created_at < now() - ${age}
    ORDER BY t.created_at, t.id LIMIT $3::int
  ) AS p
), again AS MATERIALIZED (
  SELECT l.id FROM sweep AS s CROSS JOIN LATERAL (
    SELECT l.id FROM flow_run.retention_later AS l WHERE l.environment = $1 AND l.what = '${what}' AND l.due_at <= now()
    ORDER BY l.due_at LIMIT $3::int
  ) AS l
), candidate AS MATERIALIZED (
  SELECT id FROM page UNION SELECT id FROM again
), locked AS MATERIALIZED (
  SELECT t.* FROM ${table} AS t WHERE t.id = ANY (ARRAY(SELECT id FROM candidate)) FOR UPDATE OF t SKIP LOCKED
), due AS MATERIALIZED (
  SELECT t.* FROM locked AS t WHERE t.finished_at <= now() - ${age} AND NOT (${isDone}) AND ${isDue}
), postponed AS (
  INSERT INTO flow_run.retention_later AS l (what, id, environment, due_at)
  SELECT '${what}', t.id, $1, least(now() + ${AT_LATEST},
    greatest(coalesce(t.finished_at, now()) + ${age}, now() + least(${age}, ${LOOK_AGAIN})))
  FROM ${table} AS t WHERE t.id = ANY (ARRAY(SELECT id FROM candidate EXCEPT SELECT id FROM due)) AND NOT (${isDone})
  ON CONFLICT (what, id) DO UPDATE SET due_at = excluded.due_at
  RETURNING l.id
), settled AS (
  DELETE FROM flow_run.retention_later AS l
  WHERE l.what = '${what}' AND l.id = ANY (ARRAY(SELECT a.id FROM again AS a WHERE a.id IN (SELECT id FROM due)
    OR NOT EXISTS (SELECT FROM ${table} AS t WHERE t.id = a.id AND NOT (${isDone}))))
), moved AS (
  UPDATE flow_run.retention_sweep AS s SET position = p.created_at, position_id = p.id
  FROM (SELECT created_at, id FROM page ORDER BY created_at DESC, id DESC LIMIT 1) AS p
  WHERE s.environment = $1 AND s.what = '${what}'
)`;
}

/** Ends the statement: what `PrunedPage` is read from. No row: another process holds the sweep. */
export const SEEN = `SELECT greatest((SELECT count(*) FROM page), (SELECT count(*) FROM again))::int AS seen, (SELECT count(*) FROM due)::int AS pruned
FROM sweep`;

/** Rows of the runs that are due. */
export const OF_DUE = "ANY (ARRAY(SELECT id FROM due))";
