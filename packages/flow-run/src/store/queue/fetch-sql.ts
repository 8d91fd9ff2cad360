/** What pg-boss does to fetch jobs, in two parts, so that jobs can also be chosen by other rules than its own. */
export interface FetchSql {
  /** A query: the next `$1` jobs that may be fetched, locked. Columns `ctid`, `priority`, `created_on`. */
  next: string;
  /** A statement that takes the locked jobs of the query `chosen` (column `ctid`) and returns `id`, `data` and `"retryCount"`. A job that was blocked is not any more. */
  take(chosen: string): string;
}

/** Stands for the number of jobs in the SQL that is recorded. */
export const LIMIT_MARK = 987_654_321;

/** Divides pg-boss's own statement. Loud when another version writes it in another way. */
export function divideFetchSql(sql: string): FetchSql {
  const pattern = new RegExp(
    `^\\s*WITH\\s+next AS \\(\\s*SELECT j\\.id\\s(?<where>.+LIMIT )${LIMIT_MARK}(?<lock>\\s+FOR UPDATE OF j SKIP LOCKED)\\s*\\)\\s*` +
      "(?<update>UPDATE \\S+ j SET)\\s+(?<set>state = 'active',.+)\\s+FROM next\\s+WHERE name = '\\w+' AND j\\.id = next\\.id(?<returning>\\s+RETURNING j\\.id, .+)$",
    "s",
  );
  const parts = pattern.exec(sql)?.groups as { [part in "where" | "lock" | "update" | "set" | "returning"]: string } | undefined;
  if (!parts || sql.includes("$1")) throw new Error(`pg-boss writes the SQL that fetches jobs in an unknown way: ${sql}`);
  const { where, lock, update, set, returning } = parts;
  return {
    // A number that the planner cannot see: it then takes the index in whose order the jobs are, and sorts nothing, however few it believes there to be.
    next: `SELECT j.ctid, j.priority, j.created_on ${where}(SELECT $1::int)${lock}`,
    // By their places, which leave no other way to the jobs, whatever was believed of the table when the plan was made; one that has changed its place
    // since the statement began is left for the next.
    take: (chosen) => `${update} blocked = false, ${set}
      WHERE j.ctid = ANY (ARRAY(${chosen}))${returning}`,
  };
}
