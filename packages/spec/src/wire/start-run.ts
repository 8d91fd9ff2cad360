import { z } from "zod";
import type { Json } from "../json.ts";
import { releaseNumberSchema } from "./release.ts";
import { flowKindSchema, runSchema, runStatusSchema, runStepSchema } from "./run.ts";
import { webhookSchema } from "./webhook.ts";

const tagSchema = z.string().min(1).max(128);
const tagsSchema = z.array(tagSchema).max(32);
const prioritySchema = z.int().min(-100).max(100);

/** Body of `POST /v1/flows/{flow}/runs`. */
export const startRunSchema = z
  .strictObject({
    /** What the flow's input schema asks for; absent is `{}`. Checked against that schema, not here. */
    input: z.unknown(),
    tags: tagsSchema.optional(),
    /** Higher runs first; default 0. */
    priority: prioritySchema.optional(),
    /** Number of a release of the environment; default: the current one. */
    release: releaseNumberSchema.optional(),
    /** Told when the run ends, signed: a URL, or `{url, includeOutput}`. */
    webhook: webhookSchema.optional(),
    /** Somebody will read the run's events at once: the text of its answers is streamed from the first call on. Default false: from the call on that begins after somebody reads. */
    stream: z.boolean().optional(),
  })
  .partial({ input: true });
export type StartRun = Omit<z.infer<typeof startRunSchema>, "input"> & { input?: Json };

/** Body of `POST /v1/runs/{id}/replay`, which may be empty. What is not given is as in the run that is replayed. */
export const replayRunSchema = z
  .strictObject({
    /** Path of a step, as `GET /v1/runs/{id}/steps` has it: what came before it and beside it is taken over, it and all that follows executes anew. */
    from: z.string().min(1).max(1024).optional(),
    /** Another input: of the run, or with `from` of that step. */
    input: z.unknown(),
    /** The environment's current one, the one the run had (`same`), or a number. Default: `current`, with `from` `same`. */
    release: z.union([z.literal("current"), z.literal("same"), releaseNumberSchema]).optional(),
    tags: tagsSchema.optional(),
    priority: prioritySchema.optional(),
    /** null: nobody is told. */
    webhook: webhookSchema.nullable().optional(),
  })
  .partial({ input: true });
export type ReplayRun = Omit<z.infer<typeof replayRunSchema>, "input"> & { input?: Json };

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
  /** Given several times: runs in any of these. */
  status: z.union([runStatusSchema, z.array(runStatusSchema).max(6)]).optional(),
  /** Given several times: runs that have all of these. */
  tag: z.union([z.string(), z.array(z.string()).max(32)]).optional(),
  /** Number of the release that the run is pinned to. */
  release: z.coerce.number().pipe(releaseNumberSchema).optional(),
  /** Id of a run: its replays. */
  replayOf: z.string().max(64).optional(),
  /** Runs that were created then or later. */
  from: z.iso.datetime({ offset: true }).optional(),
  /** Runs that were created before. */
  to: z.iso.datetime({ offset: true }).optional(),
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
