import { z } from "zod";

/** What a key may do; `admin` implies all others. */
export const scopeSchema = z.enum(["run", "read", "deploy", "admin"]);
export type Scope = z.infer<typeof scopeSchema>;

export const apiKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  environment: z.string(),
  scopes: z.array(scopeSchema),
  createdAt: z.iso.datetime(),
  revokedAt: z.iso.datetime().nullable(),
});
export type ApiKey = z.infer<typeof apiKeySchema>;

export const apiKeyListSchema = z.object({ keys: z.array(apiKeySchema), nextCursor: z.string().nullable() });
export type ApiKeyList = z.infer<typeof apiKeyListSchema>;

/** Body of `POST /v1/keys`; the key belongs to the environment of the request. */
export const createKeySchema = z.strictObject({
  name: z.string().min(1).max(100),
  scopes: z.array(scopeSchema).min(1).max(4),
});
export type CreateKey = z.infer<typeof createKeySchema>;

/** A new key with its secret, which is shown this once. */
export const createdKeySchema = apiKeySchema.extend({ key: z.string() });
export type CreatedKey = z.infer<typeof createdKeySchema>;
