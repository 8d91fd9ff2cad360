import { ModelCallError } from "../model-call-error.ts";
import type { Clock } from "./clock.ts";

/** As under `models.NAME.hedge` in the project file. */
export interface HedgeSettings {
  /** Milliseconds without an answer after which the same request is sent once more. */
  afterMs: number;
  /** How many further requests at most. */
  max: number;
}

/** One of several attempts at the same request. */
export interface Contestant {
  signal: AbortSignal;
  /** Its request leaves now: from here on its answer is waited for. */
  sent(): void;
  /** Its text has begun, or its answer is there: from here on it is the only one. False: another one was earlier. */
  claim(): boolean;
}

/**
 * Attempts at one request, a further one each time that nobody has answered for `afterMs`. The first answer wins and the others are aborted; the
 * promise settles when all have ended. When all fail, it rejects with what the first of them threw.
 */
export function hedge<T>(
  attempt: (contestant: Contestant) => Promise<T>,
  options: HedgeSettings & { clock: Clock; signal: AbortSignal },
): Promise<T> {
  return new Contest(attempt, options).run();
}

interface Entry {
  controller: AbortController;
  ended: Promise<void>;
}

class Contest<T> {
  private readonly attempt: (contestant: Contestant) => Promise<T>;
  private readonly options: HedgeSettings & { clock: Clock; signal: AbortSignal };
  private readonly entries: Entry[] = [];
  private readonly failures = new Map<Entry, unknown>();
  private readonly decided = new AbortController();
  private readonly outcome = Promise.withResolvers<T>();
  private claimant: Entry | null = null;

  constructor(attempt: (contestant: Contestant) => Promise<T>, options: HedgeSettings & { clock: Clock; signal: AbortSignal }) {
    this.attempt = attempt;
    this.options = options;
  }

  async run(): Promise<T> {
    const { signal } = this.options;
    const forward = () => this.stopOthers(null, signal.reason);
    signal.addEventListener("abort", forward, { once: true });
    this.begin();
    try {
      return await this.outcome.promise;
    } finally {
      signal.removeEventListener("abort", forward);
      // A loser is booked before the call is over.
      await Promise.all(this.entries.map(({ ended }) => ended));
    }
  }

  private begin(): void {
    const controller = new AbortController();
    if (this.options.signal.aborted) controller.abort(this.options.signal.reason);
    const entry: Entry = { controller, ended: Promise.resolve() };
    this.entries.push(entry);
    const contestant = { signal: controller.signal, sent: () => this.sent(entry), claim: () => this.claim(entry) };
    entry.ended = this.attempt(contestant).then(
      (answer) => this.won(entry, answer),
      (error) => this.lost(entry, error),
    );
  }

  private sent(entry: Entry): void {
    const { afterMs, max, clock } = this.options;
    if (entry !== this.entries.at(-1) || this.entries.length > max || this.decided.signal.aborted) return;
    clock.sleep(afterMs, this.decided.signal).then(
      () => this.begin(),
      () => {},
    );
  }

  private claim(entry: Entry): boolean {
    if (this.claimant === null && !entry.controller.signal.aborted) {
      this.claimant = entry;
      this.stopOthers(entry, OUTRUN);
    }
    return this.claimant === entry;
  }

  private won(entry: Entry, answer: T): void {
    if (this.claimant !== null && this.claimant !== entry) return;
    this.claimant = entry;
    this.stopOthers(entry, OUTRUN);
    this.outcome.resolve(answer);
  }

  private lost(entry: Entry, error: unknown): void {
    this.failures.set(entry, error);
    if (this.claimant !== null && this.claimant !== entry) return;
    if (this.claimant === null && this.failures.size < this.entries.length) return;
    this.stopOthers(entry, OUTRUN);
    this.outcome.reject(this.claimant === entry ? error : this.failures.get(this.entries[0]!));
  }

  private stopOthers(but: Entry | null, reason: unknown): void {
    this.decided.abort(OUTRUN);
    for (const entry of this.entries) if (entry !== but) entry.controller.abort(reason);
  }
}

const OUTRUN = new ModelCallError("aborted", "Another attempt at the same request was faster.");
