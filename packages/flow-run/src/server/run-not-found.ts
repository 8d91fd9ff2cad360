import { RequestRefusal } from "./request-refusal.ts";

/** Whether a path segment can be the id of a run at all; spares the database what it could not even store. */
export function isRunId(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}

/** The same for a run that never was, and for one of another environment: neither the answer nor its length tells them apart. */
export function runNotFound(): RequestRefusal {
  return new RequestRefusal("run-not-found", "The environment of this key has no run of this id; GET /v1/runs lists those it has.");
}
