// When a schedule is due: cron expressions are read and their ticks worked out here, in any time zone. Pure: the time is always given.
export { type CronReading, readCron } from "./read-cron.ts";
export { findTicks, type Ticks } from "./ticks.ts";
export { isTimezone, suggestTimezone } from "./timezone.ts";
