import type { Json } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import type { StoredSchedule } from "../schedule-store.ts";

interface Row {
  environment: string;
  flow: string;
  release: number;
  cron: string;
  timezone: string;
  input: Json;
  ticked_until: Date;
  now: Date;
}

const SQL = `
SELECT s.environment, s.flow, e.current_release AS release, s.cron, s.timezone, s.input, s.ticked_until, clock_timestamp() AS now
FROM flow_run.schedule AS s JOIN flow_run.environment AS e ON e.name = s.environment
ORDER BY s.environment, s.flow`;

/** The schedules of all current releases, and what time it is for the database; null when there are no schedules. */
export async function readSchedules(database: Database): Promise<{ nowMs: number; schedules: StoredSchedule[] } | null> {
  const rows = await database.query<Row>(SQL);
  const [first] = rows;
  if (first === undefined) return null;
  return {
    nowMs: first.now.getTime(),
    schedules: rows.map(({ now: _, ticked_until, ...row }) => ({ ...row, tickedUntilMs: ticked_until.getTime() })),
  };
}
