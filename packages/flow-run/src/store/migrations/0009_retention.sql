-- What an environment no longer keeps is pruned in the background, in pages along the order in which runs and deliveries were created.

ALTER TABLE flow_run.run
  ADD COLUMN contents_pruned_at timestamptz,
  ADD COLUMN pruned_at timestamptz;

COMMENT ON COLUMN flow_run.run.contents_pruned_at IS 'Inputs, outputs and messages of the run and its steps are gone since then.';
COMMENT ON COLUMN flow_run.run.pruned_at IS 'The run is gone for everybody since then; the row only keeps its idempotency key until that may be used again.';

CREATE TABLE flow_run.retention_sweep (
  environment text NOT NULL,
  what text NOT NULL CHECK (what IN ('contents', 'runs', 'deliveries')),
  position timestamptz NOT NULL DEFAULT 'epoch',
  position_id text NOT NULL DEFAULT '',
  PRIMARY KEY (environment, what)
);

COMMENT ON TABLE flow_run.retention_sweep IS 'How far everything older was looked at; who prunes holds the row, so that one process does.';

CREATE TABLE flow_run.retention_later (
  what text NOT NULL CHECK (what IN ('contents', 'runs', 'deliveries', 'keys')),
  id text NOT NULL,
  environment text NOT NULL,
  due_at timestamptz NOT NULL,
  PRIMARY KEY (what, id)
);

COMMENT ON TABLE flow_run.retention_later IS 'What could not be pruned when its turn came (runs under way, for example), to be looked at again.';

CREATE INDEX retention_later_due ON flow_run.retention_later (environment, what, due_at);
