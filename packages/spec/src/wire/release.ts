import { z } from "zod";
import { flowKindSchema } from "./run.ts";

/** Number of a release within its environment, from 1. */
export const releaseNumberSchema = z.int().min(1).max(2_147_483_647);

export const releaseSchema = z.object({
  environment: z.string(),
  number: z.int(),
  /** Content hash of the bundle: SHA-256, hex. */
  hash: z.string(),
  current: z.boolean(),
  author: z.string().nullable(),
  message: z.string().nullable(),
  commit: z.string().nullable(),
  createdAt: z.iso.datetime(),
});
export type Release = z.infer<typeof releaseSchema>;

export const releaseListSchema = z.object({ releases: z.array(releaseSchema), nextCursor: z.string().nullable() });
export type ReleaseList = z.infer<typeof releaseListSchema>;

/** A release and what it can run; prompts stay inside. */
export const releaseDetailSchema = releaseSchema.extend({
  project: z.string(),
  languageVersion: z.int(),
  flows: z.array(z.object({ name: z.string(), kind: flowKindSchema, hash: z.string() })),
});
export type ReleaseDetail = z.infer<typeof releaseDetailSchema>;

/** Body of `POST /v1/releases`. */
export const deployRequestSchema = z.strictObject({
  /** The compiled bundle, with its own hash. */
  bundle: z.record(z.string(), z.unknown()),
  author: z.string().max(200).nullish(),
  message: z.string().max(2000).nullish(),
  commit: z.string().max(200).nullish(),
  /** The release that must be current for the deploy to go through; null: none may be. Absent: whatever is current. */
  expectedCurrent: releaseNumberSchema.nullish(),
});
export type DeployRequest = Omit<z.infer<typeof deployRequestSchema>, "bundle"> & { bundle: object };

export const deployResultSchema = z.object({
  environment: z.string(),
  release: z.int(),
  previousRelease: z.int().nullable(),
  /** False: the bundle is what was current already, and no release was made. */
  changed: z.boolean(),
  hash: z.string(),
  /** Secrets that flows of the release will need and this server does not have; workers may have them. */
  missingSecrets: z.array(z.string()),
});
export type DeployResult = z.infer<typeof deployResultSchema>;
