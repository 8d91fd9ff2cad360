import type { Database } from "../database/index.ts";
import type { SealedSecret } from "../webhook-store.ts";

interface Columns {
  current: string;
  previous: string | null;
  previous_until: Date | null;
}

const COLUMNS = `current, CASE WHEN previous_until > now() THEN previous END AS previous, previous_until`;

export async function findSecret(database: Database, environment: string): Promise<SealedSecret | null> {
  const [row] = await database.query<Columns>(`SELECT ${COLUMNS} FROM flow_run.webhook_secret WHERE environment = $1`, [environment]);
  return row ? toSealedSecret(row) : null;
}

/** Whoever comes first decides; the others get what he kept. */
export async function keepSecret(database: Database, environment: string, sealed: string): Promise<SealedSecret> {
  await database.query("INSERT INTO flow_run.webhook_secret (environment, current) VALUES ($1, $2) ON CONFLICT DO NOTHING", [
    environment,
    sealed,
  ]);
  return (await findSecret(database, environment)) as SealedSecret;
}

export async function rotateSecret(
  database: Database,
  environment: string,
  sealed: string,
  overlapSeconds: number,
): Promise<SealedSecret | null> {
  const [row] = await database.query<Columns>(
    `UPDATE flow_run.webhook_secret
     SET previous = current, previous_until = now() + $3::int * interval '1 second', current = $2
     WHERE environment = $1
     RETURNING ${COLUMNS}`,
    [environment, sealed, overlapSeconds],
  );
  return row ? toSealedSecret(row) : null;
}

function toSealedSecret({ current, previous, previous_until }: Columns): SealedSecret {
  return {
    current,
    previous: previous === null || previous_until === null ? null : { sealed: previous, validUntil: previous_until.toISOString() },
  };
}
