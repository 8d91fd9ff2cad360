-- Waits for a signal or for a moment. A run that does nothing but wait has no job and no owner, only the moment at which it is woken.

CREATE TABLE flow_run.wait (
  run_id text NOT NULL,
  path text NOT NULL,
  signal text,
  opened_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  delivered_at timestamptz,
  payload_schema json,
  payload json,
  PRIMARY KEY (run_id, path)
);

COMMENT ON COLUMN flow_run.wait.signal IS 'Null: waits for due_at alone. Otherwise due_at is when the step fails.';

ALTER TABLE flow_run.run ADD COLUMN wake_at timestamptz;
ALTER TABLE flow_run.run ADD CONSTRAINT run_wakes CHECK ((wake_at IS NOT NULL) = (status = 'waiting'));

COMMENT ON COLUMN flow_run.run.wake_at IS 'When a waiting run gets a job again if no signal comes before. Every waiting run has one, so none waits for ever.';

-- Only waiting runs are in it, so that the other writes of a run stay within their page.
CREATE INDEX run_wake ON flow_run.run (wake_at) WHERE wake_at IS NOT NULL;
