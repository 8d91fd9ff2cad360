import { createHmac } from "node:crypto";

/** What a secret begins with, before its base64. */
export const SECRET_PREFIX = "whsec_";

/** The header `webhook-signature` of Standard Webhooks 1.0.0: HMAC-SHA256 over id, timestamp and body, one for each secret. */
export function signatureOf(id: string, timestampSeconds: number, body: string, secrets: readonly string[]): string {
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.slice(SECRET_PREFIX.length), "base64");
      return `v1,${createHmac("sha256", key).update(`${id}.${timestampSeconds}.${body}`).digest("base64")}`;
    })
    .join(" ");
}
