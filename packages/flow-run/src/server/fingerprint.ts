import { hash } from "node:crypto";
import canonicalize from "canonicalize";

/** SHA-256 (hex) of the canonical JSON (RFC 8785) of a request: equal exactly for requests that ask for the same. */
export function fingerprintOf(request: { flow: string; input: unknown; options: Record<string, unknown> }): string {
  return hash("sha256", canonicalize(request) as string, "hex");
}

/** Of a request without a key: nobody can send it again, so it is compared with none. */
export const UNREPEATABLE = "";
