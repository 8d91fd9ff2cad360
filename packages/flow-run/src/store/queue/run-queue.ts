import { PgBoss } from "pg-boss";
import type { Database } from "../database/index.ts";
import { divideFetchSql, type FetchSql, LIMIT_MARK } from "./fetch-sql.ts";

/** The queue's name within pg-boss. */
export const QUEUE = "runs";

/** pg-boss's minimum. A worker that is silent for longer loses its runs within a monitor interval. */
export const HEARTBEAT_SECONDS = 10;

/** pg-boss locks and updates a chunk in one statement; larger ones hold the rows for too long. */
const TOUCH_CHUNK = 256;

/** What pg-boss calls "never": about 63 years. Its checks allow a day at most, but a day-long run is not a dead one; only silence is (heartbeats). */
export const NEVER_EXPIRES_SECONDS = 2_000_000_000;

/** A fetch of a job. `retryCount` grows with each fetch, so that who held the job before cannot touch it. */
export interface JobClaim {
  id: string;
  retryCount: number;
}

export interface RunQueueOptions {
  database: Database;
  /** How often dead workers' runs are looked for. Default 1. */
  monitorSeconds: number;
  onTrouble(error: unknown, doing: string): void;
}

/** pg-boss as this product uses it: one queue, whose jobs only name a run. What a run's state is, and who may write it, is decided by the run's row alone. */
export class RunQueue {
  /** pg-boss's own insert and fetch, to be part of our statements: a run and its job are one write, a fetch and a claim too. */
  readonly insertJobsSql: string;
  readonly fetchSql: FetchSql;
  private readonly boss: PgBoss;
  private readonly database: Database;

  static async open({ database, monitorSeconds, onTrouble }: RunQueueOptions): Promise<RunQueue> {
    const boss = new PgBoss({
      db: database.pgBoss,
      backend: database.kind,
      supervise: true,
      superviseIntervalSeconds: monitorSeconds,
      monitorIntervalSeconds: monitorSeconds,
      maintenanceIntervalSeconds: 3600,
      flowIntervalSeconds: 3600,
      queueCacheIntervalSeconds: 3600,
      schedule: false,
      registerInstance: false,
      persistWarnings: false,
      openTelemetry: { enabled: false },
      // Embedded, the database's own keeper does this between statements.
      reindex: database.kind === "postgres",
      monitorVacuum: false,
    });
    boss.on("error", (error) => onTrouble(error, "keeping the queue"));
    await boss.start();
    try {
      await boss.createQueue(QUEUE, {
        policy: "standard",
        retryLimit: 1_000_000_000,
        retryDelay: 0,
        heartbeatSeconds: HEARTBEAT_SECONDS,
        expireInSeconds: 24 * 3600,
        retentionSeconds: NEVER_EXPIRES_SECONDS,
        deleteAfterSeconds: 3600,
      });
      // Nobody reads pg-boss's own statistics, for which it would read the whole queue every second. Dead workers are looked for all the same.
      await database.query("UPDATE pgboss.version SET monitor_backoff_on = $1 WHERE monitor_backoff_on IS DISTINCT FROM $1", ["infinity"]);
      const insert = await recorded((db) => boss.insert(QUEUE, [{}], { db }));
      const fetch = await recorded((db) => boss.fetch(QUEUE, { batchSize: LIMIT_MARK, db }));
      return new RunQueue(database, boss, insert, fetch);
    } catch (error) {
      await boss.stop({ graceful: false, close: false });
      throw error;
    }
  }

  private constructor(database: Database, boss: PgBoss, insertSql: string, fetchSql: string) {
    this.database = database;
    this.boss = boss;
    this.insertJobsSql = insertTakenToo(replaceOnce(insertSql, "$1::text::json", JOBS_PLACEHOLDER));
    this.fetchSql = divideFetchSql(fetchSql);
  }

  /** Prolongs the leases on a connection of its own; returns the ids of the jobs that are still held. */
  async touch(jobs: readonly JobClaim[]): Promise<Set<string>> {
    const held = new Set<string>();
    const db = {
      executeSql: async (text: string, values?: unknown[]) => ({
        rows: await this.database.query(text, values, { connection: "heartbeat" }),
      }),
    };
    for (let start = 0; start < jobs.length; start += TOUCH_CHUNK) {
      // Returned but not declared: the ids that were touched.
      const answer = (await this.boss.touch(QUEUE, jobs.slice(start, start + TOUCH_CHUNK), { db })) as { settled?: string[] };
      for (const id of answer.settled ?? []) held.add(id);
    }
    return held;
  }

  /** Makes jobs claimable again at once. Jobs that are no longer held are left alone. */
  async giveBack(jobs: readonly (JobClaim | string)[]): Promise<void> {
    if (jobs.length > 0) await this.boss.fail(QUEUE, jobs as JobClaim[]);
  }

  /** Jobs whose runs have ended. Deleted and not completed: a row less to write, index and sweep up later. */
  async remove(jobIds: readonly string[]): Promise<void> {
    if (jobIds.length > 0) await this.database.query(REMOVE, [jobIds], { prepare: "remove-jobs" });
  }

  /** Only where no other process can hold a job (the embedded database is locked by this one): every active job is an orphan of a process that is gone. */
  async giveBackAll(): Promise<number> {
    const rows = await this.database.query<{ id: string }>("SELECT id FROM pgboss.job WHERE name = $1 AND state = 'active'", [QUEUE]);
    await this.giveBack(rows.map((row) => row.id));
    return rows.length;
  }

  async depth(): Promise<{ queued: number; oldestSeconds: number }> {
    const [row] = await this.database.query<{ queued: number; oldest: number }>(
      `SELECT count(*)::int AS queued, coalesce(extract(epoch FROM now() - min(created_on)), 0)::float8 AS oldest
       FROM pgboss.job WHERE name = $1 AND state < 'active'`,
      [QUEUE],
    );
    return { queued: row?.queued ?? 0, oldestSeconds: row?.oldest ?? 0 };
  }

  async close(): Promise<void> {
    await this.boss.stop({ graceful: false, close: false });
  }
}

/** By their keys, one by one: looked for all together they are found by reading the whole queue when the planner believes it to be short. */
const REMOVE = `
DELETE FROM pgboss.job_common WHERE ctid = ANY (ARRAY(
  SELECT j.ctid FROM unnest($1::uuid[]) AS gone (id)
  CROSS JOIN LATERAL (SELECT j.ctid FROM pgboss.job_common AS j WHERE j.name = '${QUEUE}' AND j.id = gone.id LIMIT 1) AS j))`;

/** Stands in `insertJobsSql` for an SQL expression: a JSON array of jobs, or null for none. */
export const JOBS_PLACEHOLDER = "/* jobs */";

/** The SQL text that a pg-boss call would run. */
async function recorded(call: (db: { executeSql(text: string): Promise<{ rows: never[] }> }) => Promise<unknown>): Promise<string> {
  let recording = "";
  await call({
    executeSql: async (text) => {
      recording = text;
      return { rows: [] };
    },
  });
  return recording;
}

/** pg-boss inserts jobs that wait to be fetched. With `taken: true` a job is inserted as its fetch would leave it. */
function insertTakenToo(sql: string): string {
  const columns = replaceOnce(sql, "      trace_context\n    )", "      trace_context, state, started_on, heartbeat_on\n    )");
  const values = replaceOnce(
    columns,
    '"__traceContext" as trace_context\n',
    `"__traceContext" as trace_context, CASE WHEN taken THEN 'active'::pgboss.job_state ELSE 'created' END,
      CASE WHEN taken THEN pgboss.job_now() END, CASE WHEN taken THEN pgboss.job_now() END\n`,
  );
  return replaceOnce(values, '"__traceContext" jsonb\n', '"__traceContext" jsonb, taken boolean\n');
}

/** Loud when another version of pg-boss writes its SQL in another way. */
function replaceOnce(sql: string, from: string, to: string): string {
  const parts = sql.split(from);
  if (parts.length !== 2 || (parts[0] + (parts[1] as string)).includes("$1")) {
    throw new Error(`pg-boss writes its SQL in an unknown way; expected ${from} once in: ${sql}`);
  }
  return parts.join(to);
}
