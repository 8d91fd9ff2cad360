import { COST_GROUPS, type CostQuery, costQuerySchema, costReportSchema, runCostsSchema } from "@flow-run/spec";
import { z } from "zod";
import { readCostQuestion } from "../cost-question.ts";
import { explainCosts } from "../explain-costs.ts";
import type { HttpApp } from "../http-app.ts";
import { answers, problems } from "../route-schema.ts";
import { isRunId, runNotFound } from "../run-not-found.ts";
import type { ServerContext } from "../server-context.ts";

/** What was spent, in sum and call by call. */
export function costRoutes(app: HttpApp, context: ServerContext): void {
  app.get(
    "/v1/costs",
    {
      config: { scopes: ["read"] },
      compress: {},
      schema: {
        operationId: "listCosts",
        tags: ["costs"],
        summary: "Show what runs have cost",
        description: `Exact sums of what was booked, those of runs that are no longer kept included. \`groupBy\` takes any of ${COST_GROUPS.join(", ")}, separated by commas; \`from\` and \`to\` are days (UTC), both included, by default the last 30. A run counts on the day on which it was created. What calls without a known price have cost is in no sum: they are counted in \`unpricedCalls\`, and \`costUsd\` is null where there are any.`,
        querystring: costQuerySchema,
        response: {
          200: answers(costReportSchema, "The sums, and the total. With `truncated` there are more lines than the 1,000 that are sent."),
          ...problems("malformed-request", "unauthorized", "insufficient-scope"),
        },
      },
    },
    async (request) => context.store.costs.report(readCostQuestion(request.principal.environment, request.query as CostQuery)),
  );

  app.get(
    "/v1/runs/:id/costs",
    {
      config: { scopes: ["read"] },
      compress: {},
      schema: {
        operationId: "explainRunCosts",
        tags: ["costs"],
        summary: "Explain what a run has cost",
        description:
          "Every call of the run with its tokens, the price of each and the version of the prices. `lines` is null where the cost is not known, or where the prices of that version are not at hand any more.",
        params: z.object({ id: z.string() }),
        response: {
          200: answers(runCostsSchema, "The calls in the order in which they began."),
          ...problems("unauthorized", "insufficient-scope", "run-not-found"),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { environment } = request.principal;
      // The run first: calls that are booked in between are then among the steps.
      const run = isRunId(id) ? await context.store.getRun(environment, id) : null;
      const steps = run === null ? null : await context.store.listSteps(environment, id);
      if (run === null || steps === null) throw runNotFound();
      const release = await context.releases.get(environment, run.release);
      return explainCosts(run, steps, release?.bundle ?? null);
    },
  );
}
