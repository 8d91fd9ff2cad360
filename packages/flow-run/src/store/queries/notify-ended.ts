/** The one channel of NOTIFY. Payloads: the sender's id, a word, then what the word needs; `Notices` reads them. */
export const CHANNEL = "flow_run";

/** Ids a payload; 100 of up to 70 characters stay below PostgreSQL's limit of 8,000 bytes. */
const IDS_PER_PAYLOAD = 100;

/**
 * SQL that announces the ids of `source` (a query with a column `id`) in the same transaction. `sender` is a parameter such as `$3`.
 * The rows must be read by the statement, or nothing is sent.
 */
export function notifyEnded(source: string, sender: string): string {
  return `
    SELECT pg_notify('${CHANNEL}', ${sender}::text || ' ended ' || string_agg(id, ' '))
    FROM (SELECT id, (row_number() OVER () - 1) / ${IDS_PER_PAYLOAD} AS payload FROM (${source}) AS e) AS ended
    GROUP BY payload`;
}
