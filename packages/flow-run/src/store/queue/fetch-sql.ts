/** What pg-boss does to fetch jobs, in two parts, so that jobs can also be chosen by other rules than its own. */
export interface FetchSql {
  /** A query: the next `$1` jobs that may be fetched, locked. Columns `id`, `priority`, `created_on`. */
  next: string;
  /** A statement that takes the jobs of the query `chosen` (column `id`) and returns `id`, `data` and `"retryCount"`. A job that was blocked is not any more. */
  take(chosen: string): string;
}

/** Stands for the number of jobs in the SQL that is recorded. */
export const LIMIT_MARK = 987_654_321;

/** Divides pg-boss's own statement. Loud when another version writes it in another way. */
export function divideFetchSql(sql: string): FetchSql {
  const pattern = new RegExp(
    `^\\s*WITH\\s+next AS \\(\\s*SELECT j\\.id\\s(?<where>.+LIMIT )${LIMIT_MARK}(?<lock>\\s+FOR UPDATE OF j SKIP LOCKED)\\s*\\)\\s*` +
      "(?<update>UPDATE \\S+ j SET)(?<set>\\s+state = 'active',.+ FROM )next\\s+WHERE (?<which>name = '\\w+' AND j\\.id = )next\\.id(?<returning>\\s+RETURNING j\\.id, .+)$",
    "s",
  );
  const parts = pattern.exec(sql)?.groups as { [part in "where" | "lock" | "update" | "set" | "which" | "returning"]: string } | undefined;
  if (!parts || sql.includes("$1")) throw new Error(`pg-boss writes the SQL that fetches jobs in an unknown way: ${sql}`);
  const { where, lock, update, set, which, returning } = parts;
  return {
    next: `SELECT j.id, j.priority, j.created_on ${where}$1::int${lock}`,
    take: (chosen) => `WITH chosen AS MATERIALIZED (${chosen})
      ${update} blocked = false, ${set.trimStart()}chosen WHERE ${which}chosen.id${returning}`,
  };
}
