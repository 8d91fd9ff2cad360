import { createHash, createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/**
 * The authorization that AWS expects for a POST that arrived, worked out anew from what arrived (Signature Version 4):
 * path segments are encoded once more, signed headers are those that the request itself names.
 */
export function expectedAuthorization(
  request: { path: string; headers: IncomingHttpHeaders; text: string },
  key: { accessKeyId: string; secretAccessKey: string; region: string },
): string {
  const given = String(request.headers.authorization);
  const signedHeaders = /SignedHeaders=([^,]+)/.exec(given)?.[1] ?? "";
  const time = String(request.headers["x-amz-date"]);
  const scope = `${time.slice(0, 8)}/${key.region}/bedrock/aws4_request`;
  const path = request.path.split("/").map(encodeURIComponent).join("/");
  const headers = signedHeaders.split(";").map((name) => `${name}:${String(request.headers[name]).trim().replace(/\s+/g, " ")}\n`);
  const canonical = ["POST", path, "", headers.join(""), signedHeaders, sha256(request.text)].join("\n");
  const signingKey = [time.slice(0, 8), key.region, "bedrock", "aws4_request"].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${key.secretAccessKey}`,
  );
  const signature = hmac(signingKey, ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n")).toString("hex");
  return `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
}
