ALTER TABLE flow_run.run
  ADD COLUMN webhook_url text,
  ADD COLUMN webhook_output boolean NOT NULL DEFAULT false;

CREATE TABLE flow_run.webhook_delivery (
  id text PRIMARY KEY,
  run_id text NOT NULL,
  environment text NOT NULL,
  url text NOT NULL,
  endpoint text NOT NULL,
  include_output boolean NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'exhausted', 'disabled')),
  attempts integer NOT NULL DEFAULT 0,
  series_attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  leased_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  UNIQUE (run_id),
  CHECK ((finished_at IS NULL) = (status = 'pending'))
) WITH (fillfactor = 70);

COMMENT ON COLUMN flow_run.webhook_delivery.id IS 'The webhook-id: the same over all attempts and replays.';
COMMENT ON COLUMN flow_run.webhook_delivery.endpoint IS 'The URL without its query: what shares its slots with other deliveries.';
COMMENT ON COLUMN flow_run.webhook_delivery.attempts IS 'Of all time: numbers the attempts, and tells a late answer from the present one.';
COMMENT ON COLUMN flow_run.webhook_delivery.series_attempts IS 'Since the beginning or the last replay: the place in the schedule.';
COMMENT ON COLUMN flow_run.webhook_delivery.leased_until IS 'Set while an attempt is under way; next_attempt_at is the same, so that what a dead process began is due again by itself.';

CREATE INDEX webhook_delivery_due ON flow_run.webhook_delivery (endpoint, next_attempt_at) WHERE status = 'pending';
CREATE INDEX webhook_delivery_newest ON flow_run.webhook_delivery (environment, created_at DESC, id DESC);

CREATE TABLE flow_run.webhook_attempt (
  delivery_id text NOT NULL,
  number integer NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  duration_ms integer,
  status integer,
  error text,
  answer text,
  PRIMARY KEY (delivery_id, number)
);

CREATE TABLE flow_run.webhook_endpoint (
  environment text NOT NULL,
  url text NOT NULL,
  disabled_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (environment, url)
);

CREATE TABLE flow_run.webhook_secret (
  environment text PRIMARY KEY,
  current text NOT NULL,
  previous text,
  previous_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON COLUMN flow_run.webhook_secret.current IS 'Encrypted; the key is not in the database.';
