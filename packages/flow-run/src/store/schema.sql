-- What the migrations make, read back from the database by a test. Do not edit: change it with a migration, then run the test with -u.

CREATE TABLE flow_run.api_key (
  id text NOT NULL,
  name text NOT NULL,
  environment text NOT NULL,
  scopes text[] NOT NULL,
  sha256 text NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  revoked_at timestamp with time zone,
  CONSTRAINT api_key_sha256_key UNIQUE (sha256),
  CONSTRAINT api_key_pkey PRIMARY KEY (id)
);

CREATE INDEX api_key_environment ON flow_run.api_key USING btree (environment, created_at);

CREATE TABLE flow_run.attempt (
  run_id text NOT NULL,
  id text NOT NULL,
  step_path text NOT NULL,
  number integer NOT NULL,
  epoch integer NOT NULL,
  status text NOT NULL,
  provider text NOT NULL,
  model text NOT NULL,
  input_tokens bigint,
  output_tokens bigint,
  cache_read_tokens bigint,
  cache_write_tokens bigint,
  reasoning_tokens bigint,
  cost_nano_usd bigint,
  time_to_first_token_ms double precision,
  started_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  given_up_at timestamp with time zone,
  price_version text,
  finish_reason text,
  response_model text,
  raw_usage json,
  error json,
  estimated_nano_usd bigint,
  estimated_tokens bigint,
  cached boolean NOT NULL DEFAULT false,
  CONSTRAINT attempt_pkey PRIMARY KEY (run_id, id),
  CONSTRAINT attempt_status_check CHECK ((status = ANY (ARRAY['started'::text, 'succeeded'::text, 'failed'::text, 'unknown'::text])))
) WITH (fillfactor=60);

COMMENT ON COLUMN flow_run.attempt.given_up_at IS 'Counted as unpriced since then, because its owner lost the run; a late end still books it and corrects the count.';

COMMENT ON COLUMN flow_run.attempt.estimated_tokens IS 'Null: the run has no limits on cost or tokens.';

COMMENT ON COLUMN flow_run.attempt.cached IS 'Answered from the response cache: nothing was sent, and it is no call.';

CREATE TABLE flow_run.cached_answer (
  environment text NOT NULL,
  key text NOT NULL,
  answer json NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT cached_answer_pkey PRIMARY KEY (environment, key)
);

CREATE INDEX cached_answer_expires ON flow_run.cached_answer USING btree (expires_at);

COMMENT ON COLUMN flow_run.cached_answer.key IS 'SHA-256 (hex) of all that the answer depends on.';

CREATE TABLE flow_run.concurrency_limit (
  environment text NOT NULL,
  flow text NOT NULL,
  concurrency integer,
  CONSTRAINT concurrency_limit_pkey PRIMARY KEY (environment, flow),
  CONSTRAINT concurrency_limit_check CHECK (((concurrency IS NOT NULL) OR (flow = ''::text))),
  CONSTRAINT concurrency_limit_concurrency_check CHECK ((concurrency > 0))
);

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
  CONSTRAINT cost_rollup_pkey PRIMARY KEY (environment, day, flow, release, provider, model)
);

COMMENT ON COLUMN flow_run.cost_rollup.day IS 'On which the run was created, UTC.';

COMMENT ON COLUMN flow_run.cost_rollup.runs IS 'Counted in rows without a provider and a model, because a run may use several; those rows hold nothing else.';

CREATE TABLE flow_run.environment (
  name text NOT NULL,
  current_release integer,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT environment_pkey PRIMARY KEY (name)
);

CREATE TABLE flow_run.feedback (
  id text NOT NULL,
  run_id text NOT NULL,
  environment text NOT NULL,
  name text NOT NULL,
  value json NOT NULL,
  comment text,
  step text,
  author text,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  idempotency_key text,
  fingerprint text NOT NULL,
  CONSTRAINT feedback_pkey PRIMARY KEY (id)
);

CREATE UNIQUE INDEX feedback_idempotency_key ON flow_run.feedback USING btree (environment, idempotency_key) WHERE (idempotency_key IS NOT NULL);

CREATE INDEX feedback_of_run ON flow_run.feedback USING btree (run_id, created_at, id);

CREATE TABLE flow_run.migration (
  version integer NOT NULL,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT migration_pkey PRIMARY KEY (version)
);

CREATE TABLE flow_run.release (
  environment text NOT NULL,
  number integer NOT NULL,
  hash text NOT NULL,
  bundle json NOT NULL,
  author text,
  message text,
  commit text,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT release_pkey PRIMARY KEY (environment, number),
  CONSTRAINT release_environment_fkey FOREIGN KEY (environment) REFERENCES flow_run.environment(name)
);

CREATE TABLE flow_run.retention_later (
  what text NOT NULL,
  id text NOT NULL,
  environment text NOT NULL,
  due_at timestamp with time zone NOT NULL,
  CONSTRAINT retention_later_pkey PRIMARY KEY (what, id),
  CONSTRAINT retention_later_what_check CHECK ((what = ANY (ARRAY['contents'::text, 'runs'::text, 'deliveries'::text, 'keys'::text])))
);

CREATE INDEX retention_later_due ON flow_run.retention_later USING btree (environment, what, due_at);

CREATE TABLE flow_run.retention_sweep (
  environment text NOT NULL,
  what text NOT NULL,
  position timestamp with time zone NOT NULL DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone,
  position_id text NOT NULL DEFAULT ''::text,
  CONSTRAINT retention_sweep_pkey PRIMARY KEY (environment, what),
  CONSTRAINT retention_sweep_what_check CHECK ((what = ANY (ARRAY['contents'::text, 'runs'::text, 'deliveries'::text])))
);

CREATE TABLE flow_run.run (
  id text NOT NULL,
  job_id uuid NOT NULL,
  environment text NOT NULL,
  flow text NOT NULL,
  kind text NOT NULL,
  release integer NOT NULL,
  status text NOT NULL,
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
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  idempotency_key text,
  fingerprint text NOT NULL,
  tags text[] NOT NULL,
  input json NOT NULL,
  output json,
  error json,
  webhook_url text,
  webhook_output boolean NOT NULL DEFAULT false,
  wake_at timestamp with time zone,
  replay_of text,
  replay_from text,
  replay_input json,
  feedback_count integer NOT NULL DEFAULT 0,
  limited boolean NOT NULL DEFAULT false,
  line text DEFAULT 
CASE
    WHEN (limited AND (status = ANY (ARRAY['queued'::text, 'running'::text]))) THEN status
    ELSE NULL::text
END,
  cache_hits integer NOT NULL DEFAULT 0,
  contents_pruned_at timestamp with time zone,
  pruned_at timestamp with time zone,
  CONSTRAINT run_pkey PRIMARY KEY (id),
  CONSTRAINT run_check CHECK (((finished_at IS NOT NULL) = (status = ANY (ARRAY['succeeded'::text, 'failed'::text, 'cancelled'::text])))),
  CONSTRAINT run_kind_check CHECK ((kind = ANY (ARRAY['task'::text, 'workflow'::text, 'agent'::text]))),
  CONSTRAINT run_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text]))),
  CONSTRAINT run_wakes CHECK (((wake_at IS NOT NULL) = (status = 'waiting'::text)))
) WITH (fillfactor=70);

CREATE INDEX run_failed ON flow_run.run USING btree (environment, created_at DESC, id DESC) WHERE (error IS NOT NULL);

CREATE INDEX run_holds_slot ON flow_run.run USING btree (environment, flow) WHERE (line = 'running'::text);

CREATE UNIQUE INDEX run_idempotency_key ON flow_run.run USING btree (environment, idempotency_key) WHERE (idempotency_key IS NOT NULL);

CREATE INDEX run_in_line ON flow_run.run USING btree (environment, flow, priority DESC, created_at) WHERE (line = 'queued'::text);

CREATE INDEX run_newest ON flow_run.run USING btree (environment, created_at DESC, id DESC);

CREATE INDEX run_newest_of_flow ON flow_run.run USING btree (environment, flow, created_at DESC, id DESC);

CREATE INDEX run_replays ON flow_run.run USING btree (replay_of, created_at DESC, id DESC) WHERE (replay_of IS NOT NULL);

CREATE INDEX run_tags ON flow_run.run USING gin (tags) WHERE (tags <> '{}'::text[]);

CREATE INDEX run_unfinished ON flow_run.run USING btree (created_at) WHERE (finished_at IS NULL);

CREATE INDEX run_wake ON flow_run.run USING btree (wake_at) WHERE (wake_at IS NOT NULL);

COMMENT ON COLUMN flow_run.run.job_id IS 'The one job of the queue that may execute this run.';

COMMENT ON COLUMN flow_run.run.epoch IS 'Grows with each claim and with a cancel; every write of an owner names its epoch and locks this row.';

COMMENT ON COLUMN flow_run.run.ended_epoch IS 'Epoch of the owner that ended the run: tells a repeated write of that owner from a fenced one.';

COMMENT ON COLUMN flow_run.run.unpriced_calls IS 'Calls whose price or usage is unknown; their cost is missing from cost_nano_usd.';

COMMENT ON COLUMN flow_run.run.wake_at IS 'When a waiting run gets a job again if no signal comes before. Every waiting run has one, so none waits for ever.';

COMMENT ON COLUMN flow_run.run.replay_of IS 'The run that this one replays. Steps with epoch 0 were copied from it, in the transaction that accepted this run.';

COMMENT ON COLUMN flow_run.run.replay_from IS 'The step from which on it executes anew; null: from the beginning.';

COMMENT ON COLUMN flow_run.run.replay_input IS 'Given in place of the evaluated input of the step replay_from.';

COMMENT ON COLUMN flow_run.run.limited IS 'Subject to a limit of concurrency when it was last looked at: its job is blocked until the run is given a slot.';

COMMENT ON COLUMN flow_run.run.line IS '''queued'': stands in the line of its flow. ''running'': holds a slot.';

COMMENT ON COLUMN flow_run.run.contents_pruned_at IS 'Inputs, outputs and messages of the run and its steps are gone since then.';

COMMENT ON COLUMN flow_run.run.pruned_at IS 'The run is gone for everybody since then; the row only keeps its idempotency key until that may be used again.';

CREATE TABLE flow_run.schedule (
  environment text NOT NULL,
  flow text NOT NULL,
  cron text NOT NULL,
  timezone text NOT NULL,
  input json NOT NULL,
  ticked_until timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT schedule_pkey PRIMARY KEY (environment, flow)
);

COMMENT ON COLUMN flow_run.schedule.ticked_until IS 'Ticks up to here have had their run or get none: those from before the schedule was deployed.';

CREATE TABLE flow_run.shared_limit (
  key text NOT NULL,
  version bigint NOT NULL,
  state json NOT NULL,
  CONSTRAINT shared_limit_pkey PRIMARY KEY (key)
) WITH (fillfactor=50);

COMMENT ON COLUMN flow_run.shared_limit.key IS 'Environment, model or provider, name.';

CREATE TABLE flow_run.step (
  run_id text NOT NULL,
  path text NOT NULL,
  seq integer NOT NULL,
  epoch integer NOT NULL,
  kind text NOT NULL,
  status text NOT NULL,
  started_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT now(),
  input json,
  output json,
  error json,
  CONSTRAINT step_pkey PRIMARY KEY (run_id, path),
  CONSTRAINT step_status_check CHECK ((status = ANY (ARRAY['succeeded'::text, 'failed'::text, 'skipped'::text])))
);

CREATE TABLE flow_run.wait (
  run_id text NOT NULL,
  path text NOT NULL,
  signal text,
  opened_at timestamp with time zone NOT NULL,
  due_at timestamp with time zone NOT NULL,
  delivered_at timestamp with time zone,
  payload_schema json,
  payload json,
  CONSTRAINT wait_pkey PRIMARY KEY (run_id, path)
);

COMMENT ON COLUMN flow_run.wait.signal IS 'Null: waits for due_at alone. Otherwise due_at is when the step fails.';

CREATE TABLE flow_run.webhook_attempt (
  delivery_id text NOT NULL,
  number integer NOT NULL,
  started_at timestamp with time zone NOT NULL DEFAULT now(),
  duration_ms integer,
  status integer,
  error text,
  answer text,
  CONSTRAINT webhook_attempt_pkey PRIMARY KEY (delivery_id, number)
);

CREATE TABLE flow_run.webhook_delivery (
  id text NOT NULL,
  run_id text NOT NULL,
  environment text NOT NULL,
  url text NOT NULL,
  endpoint text NOT NULL,
  include_output boolean NOT NULL,
  status text NOT NULL DEFAULT 'pending'::text,
  attempts integer NOT NULL DEFAULT 0,
  series_attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamp with time zone NOT NULL DEFAULT now(),
  leased_until timestamp with time zone,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  finished_at timestamp with time zone,
  CONSTRAINT webhook_delivery_run_id_key UNIQUE (run_id),
  CONSTRAINT webhook_delivery_pkey PRIMARY KEY (id),
  CONSTRAINT webhook_delivery_check CHECK (((finished_at IS NULL) = (status = 'pending'::text))),
  CONSTRAINT webhook_delivery_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'exhausted'::text, 'disabled'::text])))
) WITH (fillfactor=70);

CREATE INDEX webhook_delivery_due ON flow_run.webhook_delivery USING btree (endpoint, next_attempt_at) WHERE (status = 'pending'::text);

CREATE INDEX webhook_delivery_newest ON flow_run.webhook_delivery USING btree (environment, created_at DESC, id DESC);

COMMENT ON COLUMN flow_run.webhook_delivery.id IS 'The webhook-id: the same over all attempts and replays.';

COMMENT ON COLUMN flow_run.webhook_delivery.endpoint IS 'The URL without its query: what shares its slots with other deliveries.';

COMMENT ON COLUMN flow_run.webhook_delivery.attempts IS 'Of all time: numbers the attempts, and tells a late answer from the present one.';

COMMENT ON COLUMN flow_run.webhook_delivery.series_attempts IS 'Since the beginning or the last replay: the place in the schedule.';

COMMENT ON COLUMN flow_run.webhook_delivery.leased_until IS 'Set while an attempt is under way; next_attempt_at is the same, so that what a dead process began is due again by itself.';

CREATE TABLE flow_run.webhook_endpoint (
  environment text NOT NULL,
  url text NOT NULL,
  disabled_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT webhook_endpoint_pkey PRIMARY KEY (environment, url)
);

CREATE TABLE flow_run.webhook_secret (
  environment text NOT NULL,
  current text NOT NULL,
  previous text,
  previous_until timestamp with time zone,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT webhook_secret_pkey PRIMARY KEY (environment)
);

COMMENT ON COLUMN flow_run.webhook_secret.current IS 'Encrypted; the key is not in the database.';
