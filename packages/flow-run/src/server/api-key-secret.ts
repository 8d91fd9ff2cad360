import { hash, randomBytes } from "node:crypto";

const PREFIX = "frk_";

/** A new key: `frk_` and 32 random bytes. Only its hash is kept. */
export function createApiKeySecret(): string {
  return PREFIX + randomBytes(32).toString("base64url");
}

/** What is stored and looked up in place of a key: SHA-256, hex. */
export function hashApiKey(key: string): string {
  return hash("sha256", key, "hex");
}
