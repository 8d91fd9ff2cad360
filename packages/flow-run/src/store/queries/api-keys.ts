import { randomBytes } from "node:crypto";
import type { Database } from "../database/index.ts";
import type { ApiKeyRow } from "../store.ts";
import { CHANNEL } from "./notify-ended.ts";

interface Columns {
  id: string;
  name: string;
  environment: string;
  scopes: string[];
  created_at: Date;
  revoked_at: Date | null;
}

const COLUMNS = "id, name, environment, scopes, created_at, revoked_at";

function toApiKeyRow({ created_at, revoked_at, ...row }: Columns): ApiKeyRow {
  return { ...row, createdAt: created_at.toISOString(), revokedAt: revoked_at?.toISOString() ?? null };
}

/** Creating and revoking tell all processes to forget what they keep of keys. */
export async function createApiKey(
  database: Database,
  sender: string,
  key: { name: string; environment: string; scopes: string[]; sha256: string },
): Promise<ApiKeyRow> {
  const [row] = await database.query<Columns>(
    `WITH created AS (
       INSERT INTO flow_run.api_key (id, name, environment, scopes, sha256) VALUES ($1, $2, $3, $4::text[], $5) RETURNING ${COLUMNS}
     )
     SELECT created.*, pg_notify('${CHANNEL}', $6::text || ' api-key') AS notified FROM created`,
    [`key_${randomBytes(9).toString("base64url")}`, key.name, key.environment, key.scopes, key.sha256, sender],
  );
  return toApiKeyRow(pick(row as Columns));
}

/** Also finds revoked keys: what they may do is for the caller to say. */
export async function findApiKey(database: Database, sha256: string): Promise<ApiKeyRow | null> {
  const [row] = await database.query<Columns>(`SELECT ${COLUMNS} FROM flow_run.api_key WHERE sha256 = $1`, [sha256]);
  return row ? toApiKeyRow(row) : null;
}

export async function listApiKeys(database: Database, environment: string): Promise<ApiKeyRow[]> {
  const rows = await database.query<Columns>(`SELECT ${COLUMNS} FROM flow_run.api_key WHERE environment = $1 ORDER BY created_at, id`, [
    environment,
  ]);
  return rows.map(toApiKeyRow);
}

/** False for a key that is unknown or was revoked before. */
export async function revokeApiKey(database: Database, sender: string, environment: string, id: string): Promise<boolean> {
  const rows = await database.query(
    `WITH revoked AS (
       UPDATE flow_run.api_key SET revoked_at = now() WHERE environment = $1 AND id = $2 AND revoked_at IS NULL RETURNING id
     )
     SELECT id, pg_notify('${CHANNEL}', $3::text || ' api-key') AS notified FROM revoked`,
    [environment, id, sender],
  );
  return rows.length === 1;
}

function pick({ id, name, environment, scopes, created_at, revoked_at }: Columns): Columns {
  return { id, name, environment, scopes, created_at, revoked_at };
}
