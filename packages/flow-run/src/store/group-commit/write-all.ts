import { FlowRunError } from "@flow-run/spec";
import { StoreUnavailableError } from "../database/index.ts";

export interface Patience {
  /** Ends all waiting: the store is closing. */
  signal: AbortSignal;
  /** After how long without success to give up with `StoreUnavailableError`. */
  giveUpAfterMs: number;
  onRetry?(error: unknown): void;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 2_000;

/** Serialization failure and deadlock: the statement had no effect, and may succeed when repeated. */
const CONFLICTS = new Set(["40001", "40P01"]);

function isTransient(error: unknown): boolean {
  if (FlowRunError.isInstance(error)) return error.retryable;
  return CONFLICTS.has(String((error as { code?: unknown })?.code));
}

/**
 * Repeats `write` while the database is away or its answer was lost. `write` must be such that sending it twice has the effect of sending it once,
 * because the first may have been committed. `repeated` tells it so.
 */
export async function persist<Answer>(write: (repeated: boolean) => Promise<Answer>, patience: Patience): Promise<Answer> {
  const deadline = performance.now() + patience.giveUpAfterMs;
  for (let tries = 0; ; tries++) {
    try {
      return await write(tries > 0);
    } catch (error) {
      if (!isTransient(error)) throw error;
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries) * (0.5 + Math.random() / 2);
      if (patience.signal.aborted || performance.now() + pauseMs > deadline) {
        throw FlowRunError.isInstance(error)
          ? error
          : new StoreUnavailableError("The database is too busy with conflicting writes. Try again.", { cause: error });
      }
      patience.onRetry?.(error);
      await pause(pauseMs, patience.signal);
    }
  }
}

/**
 * Writes all items together; when the database refuses the whole because of one of them, writes the halves, so that only the culprit fails.
 * Answers in order, an `Error` where an item failed.
 */
export async function writeAll<Item, Answer>(
  items: readonly Item[],
  write: (items: readonly Item[], repeated: boolean) => Promise<readonly (Answer | Error)[]>,
  patience: Patience,
): Promise<readonly (Answer | Error)[]> {
  try {
    return await persist((repeated) => write(items, repeated), patience);
  } catch (error) {
    if (isTransient(error) || patience.signal.aborted) throw error;
    if (items.length === 1) return [refusal(error)];
    const middle = items.length >> 1;
    const first = await writeAll(items.slice(0, middle), write, patience);
    return [...first, ...(await writeAll(items.slice(middle), write, patience))];
  }
}

/** SQLSTATE classes that blame the value: data exception, integrity, program limit exceeded. */
const VALUE_CLASSES = new Set(["22", "23", "54"]);

function refusal(error: unknown): Error {
  const code = String((error as { code?: unknown })?.code ?? "");
  if (VALUE_CLASSES.has(code.slice(0, 2)) || code === "invalid-text" || error instanceof RangeError) return notStorable(error);
  return error instanceof Error ? error : new Error(String(error));
}

export function notStorable(cause: unknown): FlowRunError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FlowRunError(
    "not-storable",
    `The database cannot store this value (${reason}). Make it smaller or simpler, and remove U+0000.`,
    { cause },
  );
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener("abort", wake);
  });
}
