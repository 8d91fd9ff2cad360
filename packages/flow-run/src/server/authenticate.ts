import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { nameSchema, type Scope, scopeSchema } from "@flow-run/spec";
import type { ApiKeyRow, Store } from "../store/index.ts";
import { hashApiKey } from "./api-key-secret.ts";
import { isLocal, refuseForeignSite } from "./local-request.ts";
import type { Principal } from "./principal.ts";
import { RequestRefusal } from "./request-refusal.ts";

const ENVIRONMENT_HEADER = "x-flow-run-environment";
const DEFAULT_ENVIRONMENT = "dev";
const ALL_SCOPES: ReadonlySet<Scope> = new Set(scopeSchema.options);
const KEY_PARAMETERS = ["access_token", "api_key", "apikey", "key", "token"];

export interface AuthenticatorOptions {
  store: Pick<Store, "findApiKey">;
  adminKey: string | undefined;
  /** Callers on this machine need no key. */
  dev: boolean;
}

/** Finds out who sent a request. Every way to fail is answered with the same 401. */
export class Authenticator {
  private readonly store: Pick<Store, "findApiKey">;
  private readonly adminDigest: Buffer | null;
  private readonly dev: boolean;

  constructor(options: AuthenticatorOptions) {
    this.store = options.store;
    this.adminDigest = options.adminKey ? digest(options.adminKey) : null;
    this.dev = options.dev;
  }

  /** Rejects with `RequestRefusal`. */
  async authenticate(request: IncomingMessage, query: Record<string, unknown>): Promise<Principal> {
    const header = request.headers.authorization;
    refuseKeyInQuery(query, header !== undefined || (this.dev && isLocal(request)));
    if (header === undefined) {
      if (!this.dev || !isLocal(request)) throw unauthorized();
      refuseForeignSite(request);
      return { id: "local", environment: environmentOf(request) ?? DEFAULT_ENVIRONMENT, scopes: ALL_SCOPES, keyHash: null };
    }
    const key = /^bearer +([\x21-\x7e]{1,512})$/i.exec(header)?.[1];
    if (key === undefined) throw unauthorized();
    // Compared as digests of one length, in constant time.
    if (this.adminDigest !== null && timingSafeEqual(digest(key), this.adminDigest)) {
      return { id: "admin", environment: environmentOf(request) ?? DEFAULT_ENVIRONMENT, scopes: ALL_SCOPES, keyHash: null };
    }
    const sha256 = hashApiKey(key);
    const row = await this.store.findApiKey(sha256);
    if (row === null || row.revokedAt !== null) throw unauthorized();
    return ofKey(row, sha256, request);
  }

  /** Whether a caller that was let in earlier would be let in now; for answers that stay open. */
  async isStillValid(principal: Principal): Promise<boolean> {
    if (principal.keyHash === null) return true;
    const row = await this.store.findApiKey(principal.keyHash);
    return row !== null && row.revokedAt === null;
  }
}

function ofKey(row: ApiKeyRow, sha256: string, request: IncomingMessage): Principal {
  const asked = environmentOf(request);
  if (asked !== undefined && asked !== row.environment) {
    throw new RequestRefusal(
      "environment-mismatch",
      `This key belongs to the environment "${row.environment}"; leave the header ${ENVIRONMENT_HEADER} out, or use a key of the other environment.`,
    );
  }
  return { id: row.id, environment: row.environment, scopes: new Set(row.scopes as Scope[]), keyHash: sha256 };
}

function unauthorized(): RequestRefusal {
  return new RequestRefusal(
    "unauthorized",
    "Send a valid key in the header Authorization: Bearer frk_…; `flow-run keys create` makes one.",
    {
      headers: { "www-authenticate": 'Bearer realm="flow-run"' },
    },
  );
}

function environmentOf(request: IncomingMessage): string | undefined {
  const name = request.headers[ENVIRONMENT_HEADER];
  if (name === undefined) return undefined;
  if (typeof name === "string" && nameSchema.safeParse(name).success) return name;
  throw new RequestRefusal("malformed-request", `The header ${ENVIRONMENT_HEADER} is not the name of an environment.`, {
    errors: [{ detail: "use letters, digits, _ and -, beginning with a letter", parameter: ENVIRONMENT_HEADER }],
  });
}

/** Query strings end up in logs and browser histories: a key in one is burnt and must not work, even beside a good header. */
function refuseKeyInQuery(query: Record<string, unknown>, otherwiseAllowed: boolean): void {
  for (const name in query) {
    const value = query[name];
    const looksLikeKey = KEY_PARAMETERS.includes(name.toLowerCase()) || (typeof value === "string" && value.startsWith("frk_"));
    if (!looksLikeKey) continue;
    if (!otherwiseAllowed) throw unauthorized();
    throw new RequestRefusal(
      "malformed-request",
      "Send the key in the header Authorization, never in the query string; revoke it if it was a real one.",
    );
  }
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
