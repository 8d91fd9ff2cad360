/** What a reader of a run's event stream is shown while it happens. The engine's events of these names are such events. */
export type LiveEvent = { runId: string } & (
  | { type: "step-started"; path: string; kind: string; atMs: number }
  | { type: "step-finished"; path: string; seq: number }
  | { type: "text-delta"; path: string; attempt: number; offset: number; text: string }
  | { type: "text-restarted"; path: string; attempt: number }
);

export type TextDelta = Extract<LiveEvent, { type: "text-delta" }>;
