import type { Logger } from "pino";
import type { Validators } from "../compile/index.ts";
import type { Store } from "../store/index.ts";
import type { Webhooks } from "../webhooks/index.ts";
import type { Authenticator } from "./authenticate.ts";
import type { EventStreams } from "./event-streams.ts";
import type { Limits } from "./limits.ts";
import type { LoadedReleases } from "./loaded-releases.ts";
import type { Metrics } from "./metrics.ts";
import type { Readiness } from "./readiness.ts";
import type { RunWaiter } from "./run-waiter.ts";
import type { SubmitLimiter } from "./submit-limiter.ts";

/** The collaborators that routes work with; built once by `createApp`. */
export interface ServerContext {
  store: Store;
  validators: Validators;
  releases: LoadedReleases;
  authenticator: Authenticator;
  waiter: RunWaiter;
  streams: EventStreams;
  submits: SubmitLimiter;
  metrics: Metrics;
  readiness: Readiness;
  limits: Limits;
  logger: Logger;
  version: string;
  /** A secret that the server has for deployed providers, by name. */
  secrets: (name: string) => string | undefined;
  /** null: webhooks are refused. */
  webhooks: Webhooks | null;
  /** Whether runs are started by their schedules here. */
  keepsSchedules: boolean;
  probesOnly: boolean;
  newRunId: () => string;
}
