import type { Database } from "../database/index.ts";
import type { CachedAnswer, CacheKey } from "../response-cache.ts";

/** With the answer as JSON text. */
export interface AnswerToKeep extends CacheKey {
  answer: string;
}

/** Reached by the key whatever the planner believes. */
const FIND = `
SELECT q.ord::int AS ord, c.answer
FROM unnest($1::text[], $2::text[], $3::float8[]) WITH ORDINALITY AS q (environment, key, ttl_ms, ord)
CROSS JOIN LATERAL (
  SELECT answer, created_at FROM flow_run.cached_answer AS c WHERE c.environment = q.environment AND c.key = q.key AND c.expires_at > now() LIMIT 1
) AS c
WHERE c.created_at > now() - q.ttl_ms * interval '1 millisecond'`;

/** In one order for all writers, so that none waits for another in a circle. */
const KEEP = `
INSERT INTO flow_run.cached_answer (environment, key, answer, expires_at)
SELECT a.environment, a.key, a.answer::json, now() + a.ttl_ms * interval '1 millisecond'
FROM unnest($1::text[], $2::text[], $3::float8[], $4::text[]) AS a (environment, key, ttl_ms, answer)
ORDER BY a.environment, a.key
ON CONFLICT (environment, key) DO UPDATE SET answer = excluded.answer, created_at = excluded.created_at, expires_at = excluded.expires_at`;

const PRUNE_BATCH = 1_000;

const PRUNE = `
WITH old AS (
  SELECT environment, key FROM flow_run.cached_answer WHERE expires_at <= now() ORDER BY expires_at LIMIT ${PRUNE_BATCH} FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM flow_run.cached_answer AS c USING old WHERE c.environment = old.environment AND c.key = old.key RETURNING 1
)
SELECT count(*)::int AS count FROM gone`;

/** In the order of `keys`; null where there is none that is young enough. */
export async function findCachedAnswers(database: Database, keys: readonly CacheKey[]): Promise<(CachedAnswer | null)[]> {
  const rows = await database.query<{ ord: number; answer: CachedAnswer }>(
    FIND,
    [keys.map(({ environment }) => environment), keys.map(({ key }) => key), keys.map(({ ttlMs }) => ttlMs)],
    { prepare: "find-cached-answers" },
  );
  const found = new Map(rows.map((row) => [row.ord, row.answer]));
  return keys.map((_, index) => found.get(index + 1) ?? null);
}

/** Of several answers under one key the last is kept. */
export async function keepAnswers(database: Database, answers: readonly AnswerToKeep[]): Promise<void> {
  const last = [...new Map(answers.map((answer) => [`${answer.environment} ${answer.key}`, answer])).values()];
  await database.query(
    KEEP,
    [
      last.map(({ environment }) => environment),
      last.map(({ key }) => key),
      last.map(({ ttlMs }) => ttlMs),
      last.map(({ answer }) => answer),
    ],
    { prepare: "keep-answers" },
  );
}

/** Removes expired answers, some at a time. Returns how many there were. */
export async function pruneCachedAnswers(database: Database): Promise<number> {
  let total = 0;
  for (let count = PRUNE_BATCH; count === PRUNE_BATCH; total += count) {
    count = (await database.query<{ count: number }>(PRUNE, [], { prepare: "prune-cached-answers" }))[0]!.count;
  }
  return total;
}
