import { apiKeyListSchema, createdKeySchema, createKeySchema } from "@flow-run/spec";
import { z } from "zod";
import { createApiKeySecret, hashApiKey } from "../api-key-secret.ts";
import type { HttpApp } from "../http-app.ts";
import { RequestRefusal } from "../request-refusal.ts";
import { answers, noBody, problems } from "../route-schema.ts";
import { isRunId } from "../run-not-found.ts";
import type { ServerContext } from "../server-context.ts";

/** API keys of an environment. */
export function keyRoutes(app: HttpApp, context: ServerContext): void {
  app.get(
    "/v1/keys",
    {
      config: { scopes: ["admin"] },
      schema: {
        operationId: "listKeys",
        tags: ["keys"],
        summary: "List the keys of the environment",
        response: { 200: answers(apiKeyListSchema, "The keys, without their secrets."), ...problems("unauthorized", "insufficient-scope") },
      },
    },
    async (request) => ({ keys: await context.store.listApiKeys(request.principal.environment), nextCursor: null }),
  );

  app.post(
    "/v1/keys",
    {
      config: { scopes: ["admin"] },
      schema: {
        operationId: "createKey",
        tags: ["keys"],
        summary: "Make a key for the environment",
        description: "The answer is the only place where the key itself is ever shown.",
        body: createKeySchema,
        response: { 201: answers(createdKeySchema, "The key."), ...problems("unauthorized", "insufficient-scope", "invalid-input") },
      },
    },
    async (request, reply) => {
      const { environment } = request.principal;
      const key = createApiKeySecret();
      const scopes = [...new Set(request.body.scopes)];
      const row = await context.store.createApiKey({ name: request.body.name, environment, scopes, sha256: hashApiKey(key) });
      context.logger.info({ environment, keyId: row.id, scopes, caller: request.principal.id }, "key created");
      return reply
        .code(201)
        .header("cache-control", "no-store")
        .send({ ...row, scopes, key });
    },
  );

  app.delete(
    "/v1/keys/:id",
    {
      config: { scopes: ["admin"] },
      schema: {
        operationId: "revokeKey",
        tags: ["keys"],
        summary: "Revoke a key",
        description: "Open event streams of the key end with their next sign of life.",
        params: z.object({ id: z.string() }),
        response: {
          204: noBody("The key is revoked."),
          ...problems("unauthorized", "insufficient-scope", "key-not-found"),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { environment } = request.principal;
      if (!isRunId(id) || !(await context.store.revokeApiKey(environment, id))) {
        throw new RequestRefusal("key-not-found", "The environment has no key of this id that is still valid; GET /v1/keys lists them.");
      }
      context.logger.info({ environment, keyId: id, caller: request.principal.id }, "key revoked");
      return reply.code(204).send();
    },
  );
}
