import type { Feedback } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import { MOST_FEEDBACK, type NewFeedback } from "../feedback-store.ts";

const COLUMNS = "f.id, f.run_id, f.name, f.value, f.comment, f.step, f.author, f.created_at, f.fingerprint";

interface FeedbackRow {
  id: string;
  run_id: string;
  name: string;
  value: Feedback["value"];
  comment: string | null;
  step: string | null;
  author: string | null;
  created_at: Date;
  fingerprint: string;
}

/** Whether the run `r` has something of a step: its record, one of its elements or inner steps, a call under way or a wait. */
const hasStep = (step: string) => `(${step}::text IS NULL
  OR EXISTS (SELECT FROM flow_run.step AS s
    WHERE s.run_id = r.id AND (s.path = ${step} OR starts_with(s.path, ${step} || '.') OR starts_with(s.path, ${step} || '[')))
  OR EXISTS (SELECT FROM flow_run.attempt AS a WHERE a.run_id = r.id AND a.step_path = ${step})
  OR EXISTS (SELECT FROM flow_run.wait AS w WHERE w.run_id = r.id AND w.path = ${step}))`;

/** A statement of its own, so that the next ones see what whoever held the row before has added. */
const LOCK = `
SELECT r.feedback_count AS count, ${hasStep("$3")} AS has_step FROM flow_run.run AS r WHERE r.environment = $1 AND r.id = $2 AND r.pruned_at IS NULL
FOR UPDATE OF r`;

const ADD = `
WITH added AS (
  INSERT INTO flow_run.feedback AS f (id, run_id, environment, name, value, comment, step, author, idempotency_key, fingerprint)
  SELECT $3, r.id, r.environment, $4, $5::text::json, $6, $7, $8, $9, $10 FROM flow_run.run AS r
  WHERE r.environment = $1 AND r.id = $2 AND r.pruned_at IS NULL AND r.feedback_count < ${MOST_FEEDBACK} AND ${hasStep("$7")}
  ON CONFLICT DO NOTHING
  RETURNING f.run_id
)
UPDATE flow_run.run AS r SET feedback_count = r.feedback_count + 1 FROM added WHERE r.id = added.run_id`;

const FIND = `SELECT ${COLUMNS} FROM flow_run.feedback AS f WHERE f.environment = $1 AND (f.id = $2 OR f.idempotency_key = $3)`;

/** `standing`: it, or what was added before with its key; null when it was refused. */
export interface AddedFeedback {
  standing: { feedback: Feedback; fingerprint: string } | null;
  /** Of the run, before. */
  count: number;
  hasStep: boolean;
}

/** null for an unknown run. */
export async function addFeedback(database: Database, added: NewFeedback): Promise<AddedFeedback | null> {
  const { environment, run, id, name, value, comment, step, author, idempotencyKey, fingerprint } = added;
  const [locked, , found] = await database.batch([
    [LOCK, [environment, run, step]],
    [ADD, [environment, run, id, name, JSON.stringify(value), comment, step, author, idempotencyKey, fingerprint]],
    [FIND, [environment, id, idempotencyKey]],
  ]);
  const [row] = locked as { count: number; has_step: boolean }[];
  if (!row) return null;
  const [standing] = found as unknown as FeedbackRow[];
  return {
    standing: standing ? { feedback: toFeedback(standing), fingerprint: standing.fingerprint } : null,
    count: row.count,
    hasStep: row.has_step,
  };
}

/** The oldest first; null for an unknown run. */
export async function listFeedback(database: Database, environment: string, run: string): Promise<Feedback[] | null> {
  const [runs, rows] = await database.batch([
    ["SELECT FROM flow_run.run WHERE environment = $1 AND id = $2 AND pruned_at IS NULL", [environment, run]],
    [
      `SELECT ${COLUMNS} FROM flow_run.feedback AS f WHERE f.environment = $1 AND f.run_id = $2 ORDER BY f.created_at, f.id`,
      [environment, run],
    ],
  ]);
  return runs?.length === 1 ? (rows as unknown as FeedbackRow[]).map(toFeedback) : null;
}

function toFeedback(row: FeedbackRow): Feedback {
  const { id, name, value, comment, step, author } = row;
  return { id, run: row.run_id, name, value, comment, step, author, createdAt: row.created_at.toISOString() };
}
