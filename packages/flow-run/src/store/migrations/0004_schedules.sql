-- Schedules of the workflows in each environment's current release; written by the transaction that makes a release current.

CREATE TABLE flow_run.schedule (
  environment text NOT NULL,
  flow text NOT NULL,
  cron text NOT NULL,
  timezone text NOT NULL,
  input json NOT NULL,
  ticked_until timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (environment, flow)
);

COMMENT ON COLUMN flow_run.schedule.ticked_until IS 'Ticks up to here have had their run or get none: those from before the schedule was deployed.';
