import { deployRequestSchema, deployResultSchema, releaseDetailSchema, releaseListSchema } from "@flow-run/spec";
import { z } from "zod";
import { deployBundle } from "../../release/index.ts";
import type { HttpApp } from "../http-app.ts";
import { RequestRefusal } from "../request-refusal.ts";
import { answers, problems } from "../route-schema.ts";
import type { ServerContext } from "../server-context.ts";

/** Releases of an environment. */
export function releaseRoutes(app: HttpApp, context: ServerContext): void {
  app.get(
    "/v1/releases",
    {
      config: { scopes: ["read", "deploy"] },
      compress: {},
      schema: {
        operationId: "listReleases",
        tags: ["releases"],
        summary: "List the releases, newest first",
        response: {
          200: answers(releaseListSchema, "All releases of the environment."),
          ...problems("unauthorized", "insufficient-scope"),
        },
      },
    },
    async (request) => {
      const releases = await context.store.listReleases(request.principal.environment);
      return { releases: releases.sort((a, b) => b.number - a.number), nextCursor: null };
    },
  );

  app.get(
    "/v1/releases/:number",
    {
      config: { scopes: ["read", "deploy"] },
      compress: {},
      schema: {
        operationId: "getRelease",
        tags: ["releases"],
        summary: "Get a release and what it can run",
        params: z.object({ number: z.string() }),
        response: {
          200: answers(releaseDetailSchema, "The release."),
          ...problems("unauthorized", "insufficient-scope", "release-not-found"),
        },
      },
    },
    async (request) => {
      const { environment } = request.principal;
      const number = /^[1-9]\d{0,8}$/.test(request.params.number) ? Number(request.params.number) : 0;
      const row = number === 0 ? undefined : (await context.store.listReleases(environment)).find((release) => release.number === number);
      const loaded = row === undefined ? null : await context.releases.get(environment, number);
      if (row === undefined || loaded === null) {
        throw new RequestRefusal(
          "release-not-found",
          `The environment "${environment}" has no such release; GET /v1/releases lists those it has.`,
        );
      }
      const { bundle } = loaded;
      return {
        ...row,
        project: bundle.project,
        languageVersion: bundle.languageVersion,
        flows: Object.values(bundle.flows).map(({ name, kind, hash }) => ({ name, kind, hash })),
      };
    },
  );

  app.post(
    "/v1/releases",
    {
      config: { scopes: ["deploy"] },
      bodyLimit: context.limits.bundleBytes,
      schema: {
        operationId: "deploy",
        tags: ["releases"],
        summary: "Deploy a bundle",
        description:
          "Freezes a compiled bundle as the next release of the environment and makes it current. Deploying what is current already changes nothing.",
        body: deployRequestSchema,
        response: {
          200: answers(deployResultSchema, "Nothing to change: this bundle is the current release."),
          201: answers(deployResultSchema, "The new release is current."),
          ...problems(
            "malformed-request",
            "unauthorized",
            "insufficient-scope",
            "stale-plan",
            "payload-too-large",
            "unsupported-media-type",
            "invalid-input",
            "invalid-bundle",
          ),
        },
      },
    },
    async (request, reply) => {
      const { bundle, author = null, message = null, commit = null, expectedCurrent } = request.body;
      const { environment } = request.principal;
      const result = await deployBundle(context.store, context.secrets, {
        environment,
        bundle,
        author,
        message,
        commit,
        expectedCurrent,
      });
      if (result.changed) {
        context.logger.info({ environment, release: result.release, hash: result.hash, caller: request.principal.id }, "deployed");
        reply.header("location", `/v1/releases/${result.release}`);
      }
      return reply.code(result.changed ? 201 : 200).send(result);
    },
  );
}
