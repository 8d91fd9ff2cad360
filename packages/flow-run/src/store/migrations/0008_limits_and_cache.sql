-- Estimates of calls, so that limits count a call whose bill nobody knows; and answers of models that may be used again.

ALTER TABLE flow_run.attempt ADD COLUMN estimated_nano_usd bigint;
ALTER TABLE flow_run.attempt ADD COLUMN estimated_tokens bigint;
ALTER TABLE flow_run.attempt ADD COLUMN cached boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN flow_run.attempt.estimated_tokens IS 'Null: the run has no limits on cost or tokens.';
COMMENT ON COLUMN flow_run.attempt.cached IS 'Answered from the response cache: nothing was sent, and it is no call.';

ALTER TABLE flow_run.run ADD COLUMN cache_hits integer NOT NULL DEFAULT 0;

CREATE TABLE flow_run.cached_answer (
  environment text NOT NULL,
  key text NOT NULL,
  answer json NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (environment, key)
);

COMMENT ON COLUMN flow_run.cached_answer.key IS 'SHA-256 (hex) of all that the answer depends on.';

CREATE INDEX cached_answer_expires ON flow_run.cached_answer (expires_at);
