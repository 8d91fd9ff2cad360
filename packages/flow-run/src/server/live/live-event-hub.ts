import type { EngineEvent } from "../../engine/index.ts";
import type { LiveEvent } from "./live-event.ts";
import { TextSoFar } from "./text-so-far.ts";

type Listener = (event: LiveEvent) => void;

/** What happens right now inside runs, wherever they are executed. */
export interface LiveEvents {
  /** Calls back with what happens in a run from now on, and with the text so far of answers under way, until the returned function is called. */
  subscribe(runId: string, callback: Listener): () => void;
  /** Something was missed: the text so far of answers under way is told again. */
  tellAgain(runId: string): void;
  /** Somebody will subscribe soon: answers of the run are streamed from its beginning. Resolves when whoever may execute it knows. Never rejects. */
  expect(runId: string): Promise<void>;
}

/** Where runs are executed that this process only watches. */
export interface ElsewhereExecuted {
  /** Resolves when the others know; never rejects. */
  watch(runId: string): Promise<void>;
  unwatch(runId: string): void;
}

/** An expected reader that has not come is forgotten after this. */
const EXPECTED_MS = 10_000;

/**
 * Hands what happens to whoever watches: readers in this process, and other processes on behalf of theirs. Costs nothing for a run that nobody watches:
 * its answers are not even streamed.
 */
export class LiveEventHub implements LiveEvents {
  private readonly readers = new Map<string, Set<Listener>>();
  private readonly forwarders = new Map<string, Set<Listener>>();
  private readonly expected = new Map<string, NodeJS.Timeout>();
  private readonly textSoFar = new TextSoFar();
  private elsewhere: ElsewhereExecuted | null = null;

  /** Runs that other processes execute are watched there. */
  connect(elsewhere: ElsewhereExecuted | null): void {
    this.elsewhere = elsewhere;
  }

  /** What the engine of this process says. */
  publish(event: EngineEvent): void {
    switch (event.type) {
      case "text-delta":
        this.textSoFar.add(event);
        break;
      case "attempt-ended":
        if (!this.textSoFar.isEmpty) this.textSoFar.dropAttempt(event.runId, event.path, event.number);
        return;
      case "run-finished":
      case "run-lost":
      case "run-waiting":
        this.textSoFar.dropRun(event.runId);
        return;
      case "step-started":
      case "step-finished":
      case "text-restarted":
        break;
      default:
        return;
    }
    tell(this.readers, event);
    tell(this.forwarders, event);
  }

  /** What another process's engine says. */
  receive(event: LiveEvent): void {
    tell(this.readers, event);
  }

  /** Whether somebody, anywhere, reads this run's text while it is written. */
  isWatched(runId: string): boolean {
    return this.readers.has(runId) || this.forwarders.has(runId) || this.expected.has(runId);
  }

  subscribe(runId: string, callback: Listener): () => void {
    const remove = add(this.readers, runId, callback);
    for (const event of this.textSoFar.of(runId)) callback(event);
    void this.elsewhere?.watch(runId);
    let subscribed = true;
    return () => {
      if (!subscribed) return;
      subscribed = false;
      remove();
      if (!this.readers.has(runId) && !this.expected.has(runId)) this.elsewhere?.unwatch(runId);
    };
  }

  tellAgain(runId: string): void {
    for (const event of this.textSoFar.of(runId)) tell(this.readers, event);
    void this.elsewhere?.watch(runId);
  }

  expect(runId: string): Promise<void> {
    clearTimeout(this.expected.get(runId));
    const timer = setTimeout(() => {
      this.expected.delete(runId);
      if (!this.readers.has(runId)) this.elsewhere?.unwatch(runId);
    }, EXPECTED_MS);
    timer.unref();
    this.expected.set(runId, timer);
    return this.elsewhere?.watch(runId) ?? Promise.resolve();
  }

  /** For another process: only what is executed here. */
  forward(runId: string, callback: Listener): () => void {
    return add(this.forwarders, runId, callback);
  }

  /** The text so far of answers that are being written here. */
  textOf(runId: string): LiveEvent[] {
    return this.textSoFar.of(runId);
  }
}

function tell(listeners: Map<string, Set<Listener>>, event: LiveEvent): void {
  const watching = listeners.get(event.runId);
  if (watching !== undefined) for (const callback of watching) callback(event);
}

function add(listeners: Map<string, Set<Listener>>, runId: string, callback: Listener): () => void {
  let watching = listeners.get(runId);
  if (watching === undefined) {
    watching = new Set();
    listeners.set(runId, watching);
  }
  watching.add(callback);
  return () => {
    watching.delete(callback);
    if (watching.size === 0 && listeners.get(runId) === watching) listeners.delete(runId);
  };
}
