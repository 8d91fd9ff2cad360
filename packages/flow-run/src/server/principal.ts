import type { Scope } from "@flow-run/spec";

/** Who sent a request: one key in one environment. */
export interface Principal {
  /** Names the caller in the log and is what limits are counted by; never the key itself. */
  id: string;
  environment: string;
  scopes: ReadonlySet<Scope>;
  /** SHA-256 of the key of an environment; null for the server's own admin key and for local callers without a key. */
  keyHash: string | null;
}

export function mayDo(principal: Principal, anyOf: readonly Scope[]): boolean {
  return principal.scopes.has("admin") || anyOf.some((scope) => principal.scopes.has(scope));
}
