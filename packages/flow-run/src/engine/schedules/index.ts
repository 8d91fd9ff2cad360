// Starts runs when their workflow's schedule says so, once a tick however many processes look.
export { Scheduler, type SchedulerOptions } from "./scheduler.ts";
