import { runSchema } from "@flow-run/spec";
import { z } from "zod";
import type { HttpApp } from "../http-app.ts";
import { answers, problems } from "../route-schema.ts";
import { isRunId, runNotFound } from "../run-not-found.ts";
import type { ServerContext } from "../server-context.ts";

/** Acting on a run. */
export function runActionRoutes(app: HttpApp, context: ServerContext): void {
  app.post(
    "/v1/runs/:id/cancel",
    {
      config: { scopes: ["run"] },
      schema: {
        operationId: "cancelRun",
        tags: ["runs"],
        summary: "Cancel a run",
        description: "The run ends as cancelled at once; a model call under way is given up, and still booked.",
        params: z.object({ id: z.string() }),
        response: {
          200: answers(runSchema, "The cancelled run."),
          ...problems("unauthorized", "insufficient-scope", "run-not-found", "not-cancellable"),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const run = isRunId(id) ? await context.store.cancelRun(request.principal.environment, id) : null;
      if (run === null) throw runNotFound();
      return run;
    },
  );
}
