import { z } from "zod";
import type { Json } from "../json.ts";
import { releaseNumberSchema } from "./release.ts";
import { flowKindSchema, runSchema, runStatusSchema, runStepSchema } from "./run.ts";
import { webhookSchema } from "./webhook.ts";

/** Body of `POST /v1/flows/{flow}/runs`. */
export const startRunSchema = z
  .strictObject({
    /** What the flow's input schema asks for; absent is `{}`. Checked against that schema, not here. */
    input: z.unknown(),
    tags: z.array(z.string().min(1).max(128)).max(32).optional(),
    /** Higher runs first; default 0. */
    priority: z.int().min(-100).max(100).optional(),
    /** Number of a release of the environment; default: the current one. */
    release: releaseNumberSchema.optional(),
    /** Told when the run ends, signed: a URL, or `{url, includeOutput}`. */
    webhook: webhookSchema.optional(),
    /** Somebody will read the run's events at once: the text of its answers is streamed from the first call on. Default false: from the call on that begins after somebody reads. */
    stream: z.boolean().optional(),
  })
  .partial({ input: true });
export type StartRun = Omit<z.infer<typeof startRunSchema>, "input"> & { input?: Json };

/** Body of `POST /v1/runs/{id}/replay`, which may be empty. */
export const replayRunSchema = z.strictObject({
  /** The release to run on: the environment's current one (default), the one the run had, or a number. */
  release: z.union([z.literal("current"), z.literal("same"), releaseNumberSchema]).optional(),
});
export type ReplayRun = z.infer<typeof replayRunSchema>;

/** A run as it was accepted. The same request with the same Idempotency-Key is answered with the same; how the run stands now is told by `GET /v1/runs/{id}`. */
export const acceptedRunSchema = z.object({
  id: z.string(),
  flow: z.string(),
  kind: flowKindSchema,
  environment: z.string(),
  release: z.int(),
  status: z.literal("queued"),
  createdAt: z.iso.datetime(),
});
export type AcceptedRun = z.infer<typeof acceptedRunSchema>;

/** Query of `GET /v1/runs`. */
export const runFilterSchema = z.object({
  flow: z.string().optional(),
  status: runStatusSchema.optional(),
  tag: z.string().optional(),
  /** `nextCursor` of the page before. */
  cursor: z.string().max(512).optional(),
  /** 1…200, default 50; more is taken as 200. */
  limit: z.coerce.number().int().min(1).optional(),
});
export type RunFilterQuery = z.infer<typeof runFilterSchema>;

export const runListSchema = z.object({ runs: z.array(runSchema), nextCursor: z.string().nullable() });
export type RunList = z.infer<typeof runListSchema>;

export const stepListSchema = z.object({ steps: z.array(runStepSchema), nextCursor: z.string().nullable() });
export type StepList = z.infer<typeof stepListSchema>;
