import type { WebhookDelivery, WebhookDeliveryDetail, WebhookDeliveryStatus } from "@flow-run/spec";
import { Callbacks } from "./callbacks.ts";
import type { Database } from "./database/index.ts";
import { Batcher } from "./group-commit/batcher.ts";
import { claimDeliveries } from "./queries/claim-deliveries.ts";
import { getDelivery, listDeliveries } from "./queries/read-deliveries.ts";
import { replayDeliveries, replayDelivery } from "./queries/replay-deliveries.ts";
import { settleDeliveries } from "./queries/settle-deliveries.ts";
import { findSecret, keepSecret, rotateSecret } from "./queries/webhook-secrets.ts";
import type { ClaimedDelivery, DeliveryFilter, DeliveryOutcome, SealedSecret, WebhookStore } from "./webhook-store.ts";

export interface DatabaseWebhookStoreParts {
  database: Database;
  sender: string;
  /** Repeats what a lost connection broke off. */
  persist<Answer>(ask: () => Promise<Answer>): Promise<Answer>;
  onTrouble(error: unknown, doing: string): void;
}

const MOST_OUTCOMES = 200;

/** Webhooks over either database: settling goes through a batcher, everything else is one statement or one transaction. */
export class DatabaseWebhookStore implements WebhookStore {
  private readonly parts: DatabaseWebhookStoreParts;
  private readonly outcomes: Batcher<DeliveryOutcome, null>;
  private readonly due: Callbacks<[]>;

  constructor(parts: DatabaseWebhookStoreParts) {
    this.parts = parts;
    this.due = new Callbacks((error) => parts.onTrouble(error, "telling of due webhooks"));
    this.outcomes = new Batcher({
      maxItems: MOST_OUTCOMES,
      write: async (outcomes) => {
        await parts.persist(() => settleDeliveries(parts.database, outcomes));
        return outcomes.map(() => null);
      },
    });
  }

  findSecret(environment: string): Promise<SealedSecret | null> {
    return this.parts.persist(() => findSecret(this.parts.database, environment));
  }

  keepSecret(environment: string, sealed: string): Promise<SealedSecret> {
    return this.parts.persist(() => keepSecret(this.parts.database, environment, sealed));
  }

  // Not repeated: a second rotation would end the validity of a secret that receivers still use.
  rotateSecret(environment: string, sealed: string, overlapSeconds: number): Promise<SealedSecret | null> {
    return rotateSecret(this.parts.database, environment, sealed, overlapSeconds);
  }

  // Not repeated: what a lost answer claimed is due again when its lease is over.
  claim(options: { limit: number; perEndpoint: number; underWay: ReadonlyMap<string, number> }): Promise<ClaimedDelivery[]> {
    return claimDeliveries(this.parts.database, options);
  }

  async settle(outcome: DeliveryOutcome): Promise<void> {
    await this.outcomes.add(outcome);
  }

  onDue(callback: () => void): () => void {
    return this.due.add(callback);
  }

  tellDue(): void {
    this.due.call();
  }

  list(filter: DeliveryFilter): Promise<{ deliveries: WebhookDelivery[]; nextCursor: string | null }> {
    return this.parts.persist(() => listDeliveries(this.parts.database, filter));
  }

  get(environment: string, id: string): Promise<WebhookDeliveryDetail | null> {
    return this.parts.persist(() => getDelivery(this.parts.database, environment, id));
  }

  async replay(environment: string, id: string): Promise<WebhookDelivery | null> {
    const { database, sender, persist } = this.parts;
    const replayed = await persist(() => replayDelivery(database, sender, environment, id));
    if (replayed !== null) return replayed;
    const standing = await this.get(environment, id);
    if (standing === null) return null;
    const { attempts: _, ...delivery } = standing;
    return delivery;
  }

  replayRange(range: {
    environment: string;
    from: string;
    to: string | null;
    statuses: readonly WebhookDeliveryStatus[];
  }): Promise<number> {
    const { database, sender } = this.parts;
    return replayDeliveries(database, sender, range);
  }
}
