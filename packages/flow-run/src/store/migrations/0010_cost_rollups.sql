-- What pruned runs cost, added up in the statement that prunes them. What is not pruned is summed from the runs and attempts themselves.

CREATE TABLE flow_run.cost_rollup (
  environment text NOT NULL,
  day date NOT NULL,
  flow text NOT NULL,
  release integer NOT NULL,
  provider text NOT NULL,
  model text NOT NULL,
  runs bigint NOT NULL DEFAULT 0,
  calls bigint NOT NULL DEFAULT 0,
  cache_hits bigint NOT NULL DEFAULT 0,
  unpriced_calls bigint NOT NULL DEFAULT 0,
  input_tokens bigint NOT NULL DEFAULT 0,
  output_tokens bigint NOT NULL DEFAULT 0,
  cache_read_tokens bigint NOT NULL DEFAULT 0,
  cache_write_tokens bigint NOT NULL DEFAULT 0,
  reasoning_tokens bigint NOT NULL DEFAULT 0,
  cost_nano_usd bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (environment, day, flow, release, provider, model)
);

COMMENT ON COLUMN flow_run.cost_rollup.day IS 'On which the run was created, UTC.';
COMMENT ON COLUMN flow_run.cost_rollup.runs IS 'Counted in rows without a provider and a model, because a run may use several; those rows hold nothing else.';
