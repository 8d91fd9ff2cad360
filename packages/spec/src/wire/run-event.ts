import { z } from "zod";
import { runSchema, runStepSchema } from "./run.ts";

/** A step began. Live: without an id, and not repeated to a reader who comes later. */
export const stepStartedEventSchema = z.object({
  type: z.literal("step-started"),
  path: z.string(),
  kind: z.string(),
  at: z.iso.datetime(),
});

/**
 * Text as a model writes it. Live. On one connection the text of an attempt begins at offset 0 and comes in order and without a gap; a new connection
 * begins an attempt that is under way at 0 again.
 */
export const textDeltaEventSchema = z.object({
  type: z.literal("text-delta"),
  path: z.string(),
  /** Number of the attempt at this step that writes; a higher one makes the text of those before it void. */
  attempt: z.int(),
  /** Where in the attempt's text this belongs, in UTF-16 code units (JavaScript's and Java's length). */
  offset: z.int(),
  text: z.string(),
});

/** The text so far of a step is void: its model is asked again, by the attempt of this number. Live. */
export const textRestartedEventSchema = z.object({ type: z.literal("text-restarted"), path: z.string(), attempt: z.int() });

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
