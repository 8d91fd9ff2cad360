-- Environments, releases, runs and their journal, API keys.
-- Documents are `json`, not `jsonb`: the order of keys is part of a prompt's text, so a resumed run must read what was written.
-- Money is integer nano-dollars. Hot tables have no foreign keys (each would be a lookup and a lock per row); the store keeps them true.

CREATE TABLE flow_run.environment (
  name text PRIMARY KEY,
  current_release integer,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE flow_run.release (
  environment text NOT NULL REFERENCES flow_run.environment (name),
  number integer NOT NULL,
  hash text NOT NULL,
  bundle json NOT NULL,
  author text,
  message text,
  commit text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (environment, number)
);

CREATE TABLE flow_run.run (
  id text PRIMARY KEY,
  job_id uuid NOT NULL,
  environment text NOT NULL,
  flow text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('task', 'workflow', 'agent')),
  release integer NOT NULL,
  status text NOT NULL CHECK (status IN ('queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled')),
  priority integer NOT NULL,
  epoch integer NOT NULL DEFAULT 0,
  ended_epoch integer,
  claims_without_progress integer NOT NULL DEFAULT 0,
  calls integer NOT NULL DEFAULT 0,
  unpriced_calls integer NOT NULL DEFAULT 0,
  input_tokens bigint NOT NULL DEFAULT 0,
  output_tokens bigint NOT NULL DEFAULT 0,
  cache_read_tokens bigint NOT NULL DEFAULT 0,
  cache_write_tokens bigint NOT NULL DEFAULT 0,
  reasoning_tokens bigint NOT NULL DEFAULT 0,
  cost_nano_usd bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz,
  idempotency_key text,
  fingerprint text NOT NULL,
  tags text[] NOT NULL,
  input json NOT NULL,
  output json,
  error json,
  CHECK ((finished_at IS NOT NULL) = (status IN ('succeeded', 'failed', 'cancelled')))
) WITH (fillfactor = 70);

COMMENT ON COLUMN flow_run.run.job_id IS 'The one job of the queue that may execute this run.';
COMMENT ON COLUMN flow_run.run.epoch IS 'Grows with each claim and with a cancel; every write of an owner names its epoch and locks this row.';
COMMENT ON COLUMN flow_run.run.ended_epoch IS 'Epoch of the owner that ended the run: tells a repeated write of that owner from a fenced one.';
COMMENT ON COLUMN flow_run.run.unpriced_calls IS 'Calls whose price or usage is unknown; their cost is missing from cost_nano_usd.';

CREATE UNIQUE INDEX run_idempotency_key ON flow_run.run (environment, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX run_newest ON flow_run.run (environment, created_at DESC, id DESC);
CREATE INDEX run_newest_of_flow ON flow_run.run (environment, flow, created_at DESC, id DESC);
CREATE INDEX run_unfinished ON flow_run.run (created_at) WHERE finished_at IS NULL;
-- By `error` and not by `status`: an index over a column that changes with each claim would forbid in-page updates.
CREATE INDEX run_failed ON flow_run.run (environment, created_at DESC, id DESC) WHERE error IS NOT NULL;
CREATE INDEX run_tags ON flow_run.run USING gin (tags) WHERE tags <> '{}';

CREATE TABLE flow_run.step (
  run_id text NOT NULL,
  path text NOT NULL,
  seq integer NOT NULL,
  epoch integer NOT NULL,
  kind text NOT NULL,
  status text NOT NULL CHECK (status IN ('succeeded', 'failed', 'skipped')),
  started_at timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  input json,
  output json,
  error json,
  PRIMARY KEY (run_id, path)
);

CREATE TABLE flow_run.attempt (
  run_id text NOT NULL,
  id text NOT NULL,
  step_path text NOT NULL,
  number integer NOT NULL,
  epoch integer NOT NULL,
  status text NOT NULL CHECK (status IN ('started', 'succeeded', 'failed', 'unknown')),
  provider text NOT NULL,
  model text NOT NULL,
  input_tokens bigint,
  output_tokens bigint,
  cache_read_tokens bigint,
  cache_write_tokens bigint,
  reasoning_tokens bigint,
  cost_nano_usd bigint,
  time_to_first_token_ms double precision,
  started_at timestamptz NOT NULL,
  finished_at timestamptz,
  given_up_at timestamptz,
  price_version text,
  finish_reason text,
  response_model text,
  raw_usage json,
  error json,
  PRIMARY KEY (run_id, id)
) WITH (fillfactor = 60);

COMMENT ON COLUMN flow_run.attempt.given_up_at IS 'Counted as unpriced since then, because its owner lost the run; a late end still books it and corrects the count.';

CREATE TABLE flow_run.api_key (
  id text PRIMARY KEY,
  name text NOT NULL,
  environment text NOT NULL,
  scopes text[] NOT NULL,
  sha256 text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);

CREATE INDEX api_key_environment ON flow_run.api_key (environment, created_at);
