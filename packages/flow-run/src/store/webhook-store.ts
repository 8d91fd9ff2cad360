import type { Run, WebhookDelivery, WebhookDeliveryDetail, WebhookDeliveryStatus } from "@flow-run/spec";

/** Secrets as they are stored: encrypted, in a form that only their owner reads. */
export interface SealedSecret {
  current: string;
  /** The one before the last rotation while it is still valid. */
  previous: { sealed: string; validUntil: string } | null;
}

/** A delivery that this process may attempt until its lease is over. */
export interface ClaimedDelivery {
  id: string;
  url: string;
  /** What shares its slots with others of the same. */
  endpoint: string;
  includeOutput: boolean;
  /** Number of this attempt, from 1, over all replays. */
  attempt: number;
  /** From 1 since the beginning or the last replay. */
  seriesAttempt: number;
  /** The endpoint answered 410 before. */
  disabled: boolean;
  /** The run that has ended. */
  run: Run;
}

/** What became of an attempt. */
export interface DeliveryOutcome {
  id: string;
  attempt: number;
  /** null: it did not come to an attempt, which then leaves no trace. */
  made: { durationMs: number; status: number | null; error: string | null; answer: string | null } | null;
  /**
   * - `retry`: pending again, due after `afterMs`
   * - `disabled`: `gone` disables the endpoint, with everything that is pending for it
   */
  next:
    | { status: "delivered" | "exhausted" }
    | { status: "disabled"; gone: boolean }
    | { status: "retry"; afterMs: number; uncounted?: boolean };
}

export interface DeliveryFilter {
  environment: string;
  status?: WebhookDeliveryStatus;
  run?: string;
  /** The `nextCursor` of the page before. */
  cursor?: string;
  /** 1…200, default 50. */
  limit?: number;
}

/** How long an attempt may take before another process begins the next one. Longer than any attempt. */
export const DELIVERY_LEASE_SECONDS = 30;

/** Deliveries of ends of runs. They are written by the statements that end runs and by nothing else. */
export interface WebhookStore {
  findSecret(environment: string): Promise<SealedSecret | null>;
  /** Keeps a first secret; when there is one already, that stays and is returned. */
  keepSecret(environment: string, sealed: string): Promise<SealedSecret>;
  /** The present secret becomes the previous one for `overlapSeconds`. null when the environment has none. */
  rotateSecret(environment: string, sealed: string, overlapSeconds: number): Promise<SealedSecret | null>;

  /** Takes up to `limit` deliveries that are due, of one endpoint no more than `perEndpoint` less those of `underWay` (how many by endpoint). */
  claim(options: { limit: number; perEndpoint: number; underWay: ReadonlyMap<string, number> }): Promise<ClaimedDelivery[]>;
  /** Books an attempt. Gathered with others of the same moment. Without effect when the lease was lost and another attempt has begun. */
  settle(outcome: DeliveryOutcome): Promise<void>;
  /** Calls back when deliveries have become due by an end or a replay, here or in another process. Retries that become due by time call nobody. */
  onDue(callback: () => void): () => void;

  /** Newest first. Throws code `invalid-cursor`. */
  list(filter: DeliveryFilter): Promise<{ deliveries: WebhookDelivery[]; nextCursor: string | null }>;
  get(environment: string, id: string): Promise<WebhookDeliveryDetail | null>;
  /** Due now, from the start of the schedule, under the same id; an endpoint that was disabled is tried again. One that is under way is left alone. null for an unknown one. */
  replay(environment: string, id: string): Promise<WebhookDelivery | null>;
  /** The same for all of a time; returns how many. */
  replayRange(range: { environment: string; from: string; to: string | null; statuses: readonly WebhookDeliveryStatus[] }): Promise<number>;
}
