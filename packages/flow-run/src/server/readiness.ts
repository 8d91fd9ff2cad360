import type { Logger } from "pino";
import type { Store } from "../store/index.ts";

const PING_TIMEOUT_MS = 2_000;
/** Probes that come faster than this share one answer of the database. */
const PING_SHARED_MS = 500;

/** Whether this process takes runs, and if not, why. */
export class Readiness {
  private readonly store: Pick<Store, "ping">;
  private readonly logger: Logger;
  private readonly more: () => readonly string[];
  private readonly now: () => number;
  private draining = false;
  private lastPing: { atMs: number; reasons: Promise<string[]> } | null = null;

  /** `more`: reasons that other parts of the process have against taking runs; empty when there are none. */
  constructor(
    store: Pick<Store, "ping">,
    logger: Logger,
    more: () => readonly string[] = () => [],
    now: () => number = () => performance.now(),
  ) {
    this.store = store;
    this.logger = logger;
    this.more = more;
    this.now = now;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  startDraining(): void {
    this.draining = true;
  }

  /** Empty: ready. */
  async reasons(): Promise<string[]> {
    if (this.draining) return ["the server is shutting down"];
    if (this.lastPing === null || this.now() - this.lastPing.atMs > PING_SHARED_MS) {
      this.lastPing = { atMs: this.now(), reasons: this.ping() };
    }
    return [...(await this.lastPing.reasons), ...this.more()];
  }

  private async ping(): Promise<string[]> {
    const timeout = Promise.withResolvers<string[]>();
    const timer = setTimeout(() => timeout.resolve([`the database did not answer within ${PING_TIMEOUT_MS / 1000} s`]), PING_TIMEOUT_MS);
    const answer = this.store.ping().then(
      () => [],
      (error: unknown) => {
        // Why names hosts and ports, and this answer is public.
        this.logger.warn({ reason: error instanceof Error ? error.message : String(error) }, "not ready");
        return ["the database does not answer"];
      },
    );
    try {
      return await Promise.race([answer, timeout.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
