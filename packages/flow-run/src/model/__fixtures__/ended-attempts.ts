import type { CallModelHooks, EndedAttempt } from "../resilience/index.ts";

/** Hooks that remember what they were told. */
export function recordAttempts(): { hooks: CallModelHooks; log: string[]; ended: EndedAttempt[] } {
  const log: string[] = [];
  const ended: EndedAttempt[] = [];
  return {
    log,
    ended,
    hooks: {
      async attemptStarting({ provider, model }) {
        log.push(`start ${provider}/${model}`);
        return { attemptId: `attempt-${log.length}` };
      },
      attemptEnded(attempt) {
        ended.push(attempt);
        log.push(`end ${attempt.target.provider}/${attempt.target.model} ${attempt.error?.code ?? "ok"}`);
      },
    },
  };
}
