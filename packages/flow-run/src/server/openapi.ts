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
  const zodToJsonConfig = {
    override: (context: { zodSchema: unknown; jsonSchema: Record<string, unknown> }) => {
      // Any JSON: the schema that accepts everything says so better than a recursive union.
      if (context.zodSchema !== jsonSchema) return;
      for (const keyword of Object.keys(context.jsonSchema)) delete context.jsonSchema[keyword];
      context.jsonSchema.description = "Any JSON value.";
    },
  };
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
    transformObject: createJsonSchemaTransformObject({ schemaRegistry, zodToJsonConfig }),
  });
}
