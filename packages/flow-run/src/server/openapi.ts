import swagger from "@fastify/swagger";
import {
  acceptedRunSchema,
  apiKeySchema,
  attemptSchema,
  deployResultSchema,
  flowSchema,
  jsonSchema,
  problemSchema,
  releaseSchema,
  runErrorSchema,
  runSchema,
  runStepSchema,
  tokenUsageSchema,
  usageSchema,
} from "@flow-run/spec";
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from "fastify-type-provider-zod";
import { z } from "zod";
import type { HttpApp } from "./http-app.ts";

/** Schemas that the document names once and refers to. */
const COMPONENTS = {
  Json: jsonSchema,
  Problem: problemSchema,
  Run: runSchema,
  RunError: runErrorSchema,
  AcceptedRun: acceptedRunSchema,
  Step: runStepSchema,
  Attempt: attemptSchema,
  TokenUsage: tokenUsageSchema,
  RunUsage: usageSchema,
  Flow: flowSchema,
  Release: releaseSchema,
  DeployResult: deployResultSchema,
  ApiKey: apiKeySchema,
};

/** Makes the app able to describe itself: `app.swagger()` is the OpenAPI 3.1 document of all routes, from the schemas that check requests. */
export async function registerOpenApi(app: HttpApp, version: string): Promise<void> {
  const schemaRegistry = z.registry<{ id?: string }>();
  for (const [id, schema] of Object.entries(COMPONENTS)) schemaRegistry.add(schema, { id });
  const zodToJsonConfig = { override: plainer };
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "flow-run",
        version,
        description: "Start runs of deployed flows, follow them, and deploy. Errors are problem details (RFC 9457).",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      tags: [
        { name: "runs", description: "Executions of flows." },
        { name: "flows", description: "What can be run." },
        { name: "releases", description: "Deployment." },
        { name: "costs", description: "What runs have cost." },
        { name: "webhooks", description: "Announcements of ended runs." },
        { name: "keys", description: "API keys of an environment." },
        { name: "operations", description: "Health and metrics." },
      ],
      components: {
        securitySchemes: {
          key: { type: "http", scheme: "bearer", description: "A key of one environment (frk_…), or the server's admin key." },
        },
      },
    },
    transform: (document) => {
      const scopes = document.route.config?.scopes;
      const transformed = createJsonSchemaTransform({ schemaRegistry, zodToJsonConfig })(document);
      if (scopes === undefined) return transformed;
      const security = [{ key: [] }];
      const scopeText = `Needs a key with the scope ${scopes.map((scope) => `\`${scope}\``).join(" or ")}.`;
      const description = [document.schema?.description, scopeText].filter(Boolean).join("\n\n");
      return { ...transformed, schema: { ...transformed.schema, security, description } };
    },
    transformObject: (document) => {
      const whole = createJsonSchemaTransformObject({ schemaRegistry, zodToJsonConfig })(document) as OpenApi;
      return { ...whole, components: { ...whole.components, schemas: referenced(whole) } } as never;
    },
  });
}

/** Leaves out what a reader of the document would only stumble over. */
function plainer({ zodSchema, jsonSchema: made }: { zodSchema: unknown; jsonSchema: Record<string, unknown> }): void {
  if (zodSchema === jsonSchema) {
    // The schema that accepts everything says so better than a recursive union.
    for (const keyword of Object.keys(made)) delete made[keyword];
    made.description = "Any JSON value.";
  }
  if (made.format === "date-time") delete made.pattern;
  // Answers may get more fields; only what is closed to a caller is closed in the document.
  if (zodSchema instanceof z.ZodObject && zodSchema.def.catchall === undefined) delete made.additionalProperties;
  if (made.minimum === Number.MIN_SAFE_INTEGER) delete made.minimum;
  if (made.maximum === Number.MAX_SAFE_INTEGER) delete made.maximum;
}

interface OpenApi {
  paths: object;
  components: { schemas: Record<string, object> };
}

/** The named schemas that something refers to; each is made twice, for requests and for answers, and mostly one of the two is used. */
function referenced({ paths, components }: OpenApi): Record<string, object> {
  const kept: Record<string, object> = {};
  const visit = (part: object): void => {
    for (const [, name] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      const schema = components.schemas[name!];
      if (schema === undefined || Object.hasOwn(kept, name!)) continue;
      kept[name!] = schema;
      visit(schema);
    }
  };
  visit(paths);
  return kept;
}
