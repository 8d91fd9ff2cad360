// One file a resource: what its routes accept, who may call them, and what they answer. Work that two routes share lives one floor up.
import type { HttpApp } from "../http-app.ts";
import type { ServerContext } from "../server-context.ts";
import { costRoutes } from "./costs.ts";
import { documentationRoutes } from "./documentation.ts";
import { feedbackRoutes } from "./feedback.ts";
import { flowRoutes } from "./flows.ts";
import { keyRoutes } from "./keys.ts";
import { operationRoutes } from "./operations.ts";
import { releaseRoutes } from "./releases.ts";
import { replayRoute } from "./replay.ts";
import { runActionRoutes } from "./run-actions.ts";
import { runEventsRoute } from "./run-events.ts";
import { runRoutes } from "./runs.ts";
import { signalRoute } from "./signals.ts";
import { startRunRoute } from "./start-run.ts";
import { unmatchedRoutes } from "./unmatched.ts";
import { webhookRoutes } from "./webhooks.ts";

export function registerRoutes(app: HttpApp, context: ServerContext): void {
  unmatchedRoutes(app);
  operationRoutes(app, context);
  // A worker answers probes and nothing else.
  if (context.probesOnly) return;
  startRunRoute(app, context);
  runRoutes(app, context);
  runEventsRoute(app, context);
  runActionRoutes(app, context);
  replayRoute(app, context);
  feedbackRoutes(app, context);
  signalRoute(app, context);
  flowRoutes(app, context);
  releaseRoutes(app, context);
  costRoutes(app, context);
  webhookRoutes(app, context);
  keyRoutes(app, context);
  documentationRoutes(app);
}
