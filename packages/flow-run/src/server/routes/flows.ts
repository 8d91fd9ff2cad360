import { type Flow, flowListSchema, flowSchema } from "@flow-run/spec";
import { z } from "zod";
import { type CompiledFlow, findTicks } from "../../compile/index.ts";
import type { HttpApp } from "../http-app.ts";
import type { LoadedRelease } from "../loaded-releases.ts";
import { RequestRefusal } from "../request-refusal.ts";
import { answers, problems } from "../route-schema.ts";
import type { ServerContext } from "../server-context.ts";
import { refuseUnknownFlow } from "../submit-run.ts";

/** What can be run. */
export function flowRoutes(app: HttpApp, context: ServerContext): void {
  app.get(
    "/v1/flows",
    {
      config: { scopes: ["run", "read", "deploy"] },
      compress: {},
      schema: {
        operationId: "listFlows",
        tags: ["flows"],
        summary: "List the flows of the current release",
        response: { 200: answers(flowListSchema, "The flows, by name."), ...problems("unauthorized", "insufficient-scope") },
      },
    },
    async (request) => {
      const release = await currentRelease(context, request.principal.environment);
      const flows = release === null ? [] : Object.values(release.bundle.flows).map((flow) => describe(flow, release.number, context));
      return { flows: flows.sort((a, b) => (a.name < b.name ? -1 : 1)), nextCursor: null };
    },
  );

  app.get(
    "/v1/flows/:flow",
    {
      config: { scopes: ["run", "read", "deploy"] },
      compress: {},
      schema: {
        operationId: "getFlow",
        tags: ["flows"],
        summary: "Get a flow with its JSON Schemas",
        params: z.object({ flow: z.string() }),
        response: { 200: answers(flowSchema, "The flow."), ...problems("unauthorized", "insufficient-scope", "flow-not-found") },
      },
    },
    async (request) => {
      const { environment } = request.principal;
      const release = await currentRelease(context, environment);
      if (release === null) {
        throw new RequestRefusal(
          "flow-not-found",
          `Nothing has been deployed to the environment "${environment}" yet; \`flow-run deploy --env ${environment}\` does.`,
        );
      }
      return describe(release.flow(request.params.flow) ?? refuseUnknownFlow(release, request.params.flow), release.number, context);
    },
  );
}

async function currentRelease(context: ServerContext, environment: string): Promise<LoadedRelease | null> {
  const number = await context.store.currentRelease(environment);
  return number === null ? null : context.releases.get(environment, number);
}

function describe(flow: CompiledFlow, release: number, { keepsSchedules }: ServerContext): Flow {
  return {
    name: flow.name,
    kind: flow.kind,
    description: flow.description ?? null,
    input: flow.input ?? true,
    output: outputSchemaOf(flow),
    release,
    hash: flow.hash,
    schedule: scheduleOf(flow, keepsSchedules),
  };
}

/** The next tick by this machine's clock: told, not acted on. */
function scheduleOf(flow: CompiledFlow, isKept: boolean): Flow["schedule"] {
  if (flow.kind !== "workflow" || flow.schedule === undefined) return null;
  const { cron, timezone, input } = flow.schedule;
  const next = isKept ? findTicks(cron, timezone).next(Date.now()) : null;
  return { cron, timezone, input, nextTickAt: next === null ? null : new Date(next).toISOString() };
}

function outputSchemaOf(flow: CompiledFlow): Flow["output"] {
  if (flow.kind === "workflow") return flow.outputSchema;
  return flow.output.format === "text" ? { type: "string" } : (flow.output.schema ?? true);
}
