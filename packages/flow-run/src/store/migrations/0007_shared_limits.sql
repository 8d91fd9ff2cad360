-- Limits of models and providers that all processes share: one small document each, replaced as a whole by whoever read its last version.

CREATE TABLE flow_run.shared_limit (
  key text PRIMARY KEY,
  version bigint NOT NULL,
  state json NOT NULL
) WITH (fillfactor = 50);

COMMENT ON COLUMN flow_run.shared_limit.key IS 'Environment, model or provider, name.';
