// Executes what is frozen: walks a compiled flow, skips what the journal has, runs what is missing, and reports events.
// Reads no file, knows no terminal, no SQL and no HTTP: it speaks to a journal port and a model port.
export type { Clock } from "./clock.ts";
export type { EngineEvent } from "./engine-event.ts";
export { type ExecutionOutcome, executeRun } from "./execute-run.ts";
export type { HttpAnswer, HttpCaller, HttpRequest } from "./http-caller.ts";
export { Interruption, type InterruptionReason } from "./interruption.ts";
export { type LoadedFlows, loadFlows } from "./loaded-release.ts";
export { planReplay, type ReplayPlan, type ReplayToPlan } from "./replay/plan-replay.ts";
export type { RunBell } from "./run-bell.ts";
export type { EngineModel, EngineRelease, EngineWorld, RunToExecute } from "./run-context.ts";
export { Scheduler, type SchedulerOptions } from "./schedules/index.ts";
export { Worker, type WorkerOptions } from "./worker.ts";
