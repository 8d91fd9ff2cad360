-- Runs that take over the beginning of another run's journal, and what people think of runs.

ALTER TABLE flow_run.run
  ADD COLUMN replay_of text,
  ADD COLUMN replay_from text,
  ADD COLUMN replay_input json,
  ADD COLUMN feedback_count integer NOT NULL DEFAULT 0;

COMMENT ON COLUMN flow_run.run.replay_of IS 'The run that this one replays. Steps with epoch 0 were copied from it, in the transaction that accepted this run.';
COMMENT ON COLUMN flow_run.run.replay_from IS 'The step from which on it executes anew; null: from the beginning.';
COMMENT ON COLUMN flow_run.run.replay_input IS 'Given in place of the evaluated input of the step replay_from.';

CREATE INDEX run_replays ON flow_run.run (replay_of, created_at DESC, id DESC) WHERE replay_of IS NOT NULL;

CREATE TABLE flow_run.feedback (
  id text NOT NULL,
  run_id text NOT NULL,
  environment text NOT NULL,
  name text NOT NULL,
  value json NOT NULL,
  comment text,
  step text,
  author text,
  created_at timestamptz NOT NULL DEFAULT now(),
  idempotency_key text,
  fingerprint text NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX feedback_of_run ON flow_run.feedback (run_id, created_at, id);
CREATE UNIQUE INDEX feedback_idempotency_key ON flow_run.feedback (environment, idempotency_key) WHERE idempotency_key IS NOT NULL;
