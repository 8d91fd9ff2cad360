import type pg from "pg";

/** What the database did, in the order and at the time of its commits (epoch milliseconds). */
export interface DatabaseStory {
  /** Each time a run's epoch grew, and who did it (the database user: every server has its own). */
  claims: readonly { run: string; epoch: number; owner: string; atMs: number }[];
  /** Each change of a run's status. */
  turns: readonly { run: string; from: string; to: string; epoch: number; atMs: number }[];
  /** Attempts as they were announced. */
  attempts: readonly { run: string; id: string; path: string; epoch: number; atMs: number }[];
  steps: readonly { run: string; path: string; seq: number; epoch: number; atMs: number }[];
  /** Runs that changed after their end in what an end says. */
  changedAfterEnd: readonly { run: string; atMs: number }[];
  /** Unfinished runs that nothing would ever wake. */
  orphans: readonly string[];
}

/** Needs `track_commit_timestamp`. Triggers only watch: the program's own statements stay what they are. */
const INSTALL = `
CREATE SCHEMA watch;
CREATE TABLE watch.claim (run text, epoch int, owner text);
CREATE TABLE watch.turn (run text, before text, after text, epoch int);
CREATE TABLE watch.attempt (run text, id text, path text, epoch int);
CREATE TABLE watch.changed (run text);
CREATE FUNCTION watch.run() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.epoch > 0 THEN INSERT INTO watch.claim VALUES (NEW.id, NEW.epoch, session_user); END IF;
    IF NEW.status <> 'queued' THEN INSERT INTO watch.turn VALUES (NEW.id, 'queued', NEW.status, NEW.epoch); END IF;
    RETURN NULL;
  END IF;
  IF NEW.epoch <> OLD.epoch THEN INSERT INTO watch.claim VALUES (NEW.id, NEW.epoch, session_user); END IF;
  IF NEW.status <> OLD.status THEN INSERT INTO watch.turn VALUES (NEW.id, OLD.status, NEW.status, NEW.epoch); END IF;
  IF OLD.finished_at IS NOT NULL AND (NEW.status, NEW.finished_at, NEW.output::text, NEW.error::text)
    IS DISTINCT FROM (OLD.status, OLD.finished_at, OLD.output::text, OLD.error::text) THEN INSERT INTO watch.changed VALUES (NEW.id); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER watch AFTER INSERT OR UPDATE ON flow_run.run FOR EACH ROW EXECUTE FUNCTION watch.run();
CREATE FUNCTION watch.attempt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO watch.attempt VALUES (NEW.run_id, NEW.id, NEW.step_path, NEW.epoch);
  RETURN NULL;
END $$;
CREATE TRIGGER watch AFTER INSERT ON flow_run.attempt FOR EACH ROW EXECUTE FUNCTION watch.attempt();`;

const COMMITTED = 'extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 * 1000 AS "atMs"';

const ORPHANS = `
SELECT r.id FROM flow_run.run AS r
WHERE r.finished_at IS NULL AND r.wake_at IS NULL AND NOT EXISTS (SELECT FROM pgboss.job AS j WHERE j.id = r.job_id AND j.state <= 'active')`;

export async function installObserver(admin: pg.Client): Promise<void> {
  await admin.query(INSTALL);
}

export async function readStory(admin: pg.Client): Promise<DatabaseStory> {
  const read = async <Row>(sql: string) => (await admin.query(sql)).rows as Row[];
  return {
    claims: await read(`SELECT run, epoch, owner, ${COMMITTED} FROM watch.claim ORDER BY "atMs"`),
    turns: await read(`SELECT run, before AS "from", after AS "to", epoch, ${COMMITTED} FROM watch.turn ORDER BY "atMs"`),
    attempts: await read(`SELECT run, id, path, epoch, ${COMMITTED} FROM watch.attempt ORDER BY "atMs"`),
    steps: await read(`SELECT run_id AS run, path, seq, epoch, ${COMMITTED} FROM flow_run.step ORDER BY "atMs"`),
    changedAfterEnd: await read(`SELECT run, ${COMMITTED} FROM watch.changed`),
    orphans: (await read<{ id: string }>(ORPHANS)).map((row) => row.id),
  };
}
