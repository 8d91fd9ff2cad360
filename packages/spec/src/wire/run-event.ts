import { z } from "zod";
import { runSchema, runStepSchema } from "./run.ts";

/** A step began. Live: without an id, and not repeated to a reader who comes later. */
export const stepStartedEventSchema = z.object({
  type: z.literal("step-started"),
  path: z.string(),
  kind: z.string(),
  at: z.iso.datetime(),
});

/** Text as a model writes it. Live. */
export const textDeltaEventSchema = z.object({ type: z.literal("text-delta"), path: z.string(), text: z.string() });

/** The text so far of a step is void: its model is asked again. Live. */
export const textRestartedEventSchema = z.object({ type: z.literal("text-restarted"), path: z.string() });

/** A step is recorded. `seq` is also the event's id. */
export const stepFinishedEventSchema = z.object({ type: z.literal("step-finished"), seq: z.int(), step: runStepSchema });

/** The run has ended; always the last event. Its id follows that of the last step. */
export const runFinishedEventSchema = z.object({ type: z.literal("run-finished"), seq: z.int(), run: runSchema });

/** What `GET /v1/runs/{id}/events` sends: the data of an event is this as JSON, the event's name its `type`. */
export const runEventSchema = z.discriminatedUnion("type", [
  stepStartedEventSchema,
  textDeltaEventSchema,
  textRestartedEventSchema,
  stepFinishedEventSchema,
  runFinishedEventSchema,
]);
export type RunEvent = z.infer<typeof runEventSchema>;
