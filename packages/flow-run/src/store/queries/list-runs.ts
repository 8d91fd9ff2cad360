import { isTerminal, type Run } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import type { RunFilter } from "../store.ts";
import { RUN_COLUMNS, type RunRow, toRun } from "./run-columns.ts";
import { readCursor, writeCursor } from "./run-cursor.ts";

const DEFAULT_LIMIT = 50;
const MOST = 200;

/** One page, newest first. Throws code `invalid-cursor`. */
export async function listRuns(database: Database, filter: RunFilter): Promise<{ runs: Run[]; nextCursor: string | null }> {
  const limit = Math.min(MOST, Math.max(1, Math.trunc(filter.limit ?? DEFAULT_LIMIT) || DEFAULT_LIMIT));
  const params: unknown[] = [filter.environment];
  const given = (value: unknown) => `$${params.push(value)}`;
  const conditions = ["r.environment = $1", "r.pruned_at IS NULL"];
  if (filter.flow !== undefined) conditions.push(`r.flow = ${given(filter.flow)}`);
  const statuses = filter.status === undefined ? [] : [filter.status].flat();
  if (statuses.length > 0) {
    conditions.push(`r.status = ANY (${given(statuses)}::text[])`);
    // What follows from the statuses, said so that the partial indexes can serve.
    if (!statuses.some(isTerminal)) conditions.push("r.finished_at IS NULL");
    if (statuses.every((status) => status === "failed")) conditions.push("r.error IS NOT NULL");
  }
  const tags = filter.tag === undefined ? [] : [filter.tag].flat();
  if (tags.length > 0) conditions.push(`r.tags @> ${given(tags)}::text[]`, "r.tags <> '{}'");
  if (filter.release !== undefined) conditions.push(`r.release = ${given(filter.release)}`);
  if (filter.replayOf !== undefined) conditions.push(`r.replay_of = ${given(filter.replayOf)}`);
  if (filter.from !== undefined) conditions.push(`r.created_at >= ${given(filter.from)}::timestamptz`);
  if (filter.to !== undefined) conditions.push(`r.created_at < ${given(filter.to)}::timestamptz`);
  if (filter.cursor !== undefined) {
    const { createdAtMicros, id } = readCursor(filter.cursor);
    const time = `'epoch'::timestamptz + ${given(createdAtMicros)}::bigint * interval '1 microsecond'`;
    conditions.push(`(r.created_at, r.id) < (${time}, ${given(id)})`);
  }
  const rows = await database.query<RunRow & { micros: string }>(
    `SELECT ${RUN_COLUMNS}, (extract(epoch FROM r.created_at) * 1000000)::bigint::text AS micros
     FROM flow_run.run AS r WHERE ${conditions.join(" AND ")}
     ORDER BY r.created_at DESC, r.id DESC LIMIT ${given(limit + 1)}`,
    params,
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const nextCursor = rows.length > limit && last ? writeCursor({ createdAtMicros: last.micros, id: last.id }) : null;
  return { runs: page.map(toRun), nextCursor };
}
