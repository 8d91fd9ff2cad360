import type { JobClaim } from "./run-queue.ts";

/** A job and the fetch that took it, as the one text that other rooms carry around. */
export function writeJobClaim(claim: JobClaim): string {
  return `${claim.id}:${claim.retryCount}`;
}

export function readJobClaim(text: string): JobClaim {
  const at = text.lastIndexOf(":");
  return { id: text.slice(0, at), retryCount: Number(text.slice(at + 1)) };
}
