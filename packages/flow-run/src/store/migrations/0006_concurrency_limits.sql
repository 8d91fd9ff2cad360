-- How many runs of a flow, or of a whole environment, may be under way at once. An environment with limits has a row for the flow '' (null: no limit of
-- its own), and whoever gives out slots of the environment holds that row.

CREATE TABLE flow_run.concurrency_limit (
  environment text NOT NULL,
  flow text NOT NULL,
  concurrency integer CHECK (concurrency > 0),
  PRIMARY KEY (environment, flow),
  CHECK (concurrency IS NOT NULL OR flow = '')
);

ALTER TABLE flow_run.run ADD COLUMN limited boolean NOT NULL DEFAULT false;
-- Derived from the status, so that no way for a run to end can forget to give its slot back. Null for all other runs, whose updates stay within their page.
ALTER TABLE flow_run.run ADD COLUMN line text GENERATED ALWAYS AS (CASE WHEN limited AND status IN ('queued', 'running') THEN status END) STORED;

COMMENT ON COLUMN flow_run.run.limited IS 'Subject to a limit of concurrency when it was last looked at: its job is blocked until the run is given a slot.';
COMMENT ON COLUMN flow_run.run.line IS '''queued'': stands in the line of its flow. ''running'': holds a slot.';

CREATE INDEX run_in_line ON flow_run.run (environment, flow, priority DESC, created_at) WHERE line = 'queued';
CREATE INDEX run_holds_slot ON flow_run.run (environment, flow) WHERE line = 'running';
