import type { Database } from "../database/index.ts";
import type { Tick } from "../schedule-store.ts";

/** Only forwards, and not for a schedule that has been deployed with other times meanwhile. */
const SQL = `
UPDATE flow_run.schedule AS s SET ticked_until = t.at
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS t (environment, flow, cron, timezone, at)
WHERE s.environment = t.environment AND s.flow = t.flow AND s.cron = t.cron AND s.timezone = t.timezone AND s.ticked_until < t.at`;

export async function markTicked(database: Database, ticks: readonly Tick[]): Promise<void> {
  await database.query(SQL, [
    ticks.map(({ schedule }) => schedule.environment),
    ticks.map(({ schedule }) => schedule.flow),
    ticks.map(({ schedule }) => schedule.cron),
    ticks.map(({ schedule }) => schedule.timezone),
    ticks.map(({ atMs }) => new Date(atMs).toISOString()),
  ]);
}
