import { FlowRunError, type WebhookSecret } from "@flow-run/spec";
import { checkUrl, type NetworkPermission, type Outbound } from "../outbound/index.ts";
import type { Store } from "../store/index.ts";
import { Deliverer, type DelivererClock } from "./deliverer.ts";
import { SecretBox } from "./secret-box.ts";
import { SigningSecrets } from "./signing-secrets.ts";

export interface WebhooksOptions {
  store: Pick<Store, "webhooks">;
  /** What secrets are encrypted under, as the operator gave it: sealed with the first, opened with any. Empty: webhooks are refused. */
  keys: readonly string[];
  allowPrivateNetwork: NetworkPermission;
  clock: DelivererClock;
  random: () => number;
  /** Where callers reach the API, for the link in messages; empty: they hold a path. */
  publicUrl?: string;
  onTrouble(error: unknown, doing: string): void;
}

export interface Webhooks {
  /** The URL as it is stored. Throws code `invalid-input` for one that no message could be sent to. */
  checkUrl(url: string): string;
  /** Makes the environment's secret when it has none. Throws code `webhooks-not-configured`. */
  prepare(environment: string): Promise<void>;
  secret(environment: string): Promise<WebhookSecret>;
  /** A new secret; the old one signs beside it for 24 hours. */
  rotateSecret(environment: string): Promise<WebhookSecret>;
  /** Attempts of this process by outcome. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Starts to deliver. `outbound` stays the caller's. */
  deliver(outbound: Outbound): { drain(graceMs: number): Promise<void> };
}

/** Longest URL that is kept: it is part of an index. */
const MOST_URL_CHARACTERS = 2_048;

const OUTCOMES = ["delivered", "failed", "exhausted", "disabled"] as const;

/** Everything about webhooks of one process. */
export function createWebhooks(options: WebhooksOptions): Webhooks {
  const { store, keys, allowPrivateNetwork, clock, random, publicUrl = "", onTrouble } = options;
  const secrets = new SigningSecrets(
    () => store.webhooks,
    new SecretBox(keys, "webhook secrets"),
    () => clock.now(),
  );
  const outcomes = new Map<string, number>(OUTCOMES.map((outcome) => [outcome, 0]));
  return {
    checkUrl(url) {
      const checked = permitted(url, allowPrivateNetwork);
      if (checked.length > MOST_URL_CHARACTERS)
        throw new FlowRunError("invalid-input", `The URL is longer than ${MOST_URL_CHARACTERS} characters.`);
      return checked;
    },
    prepare: (environment) => secrets.prepare(environment),
    secret: (environment) => secrets.show(environment),
    rotateSecret: (environment) => secrets.rotate(environment),
    outcomes,
    deliver(outbound) {
      const deliverer = new Deliverer({
        store: store.webhooks,
        outbound,
        secretsOf: (environment) => secrets.forSigning(environment),
        clock,
        random,
        publicUrl: publicUrl.replace(/\/+$/, ""),
        onOutcome: (outcome) => outcomes.set(outcome, outcomes.get(outcome)! + 1),
        onTrouble,
      });
      deliverer.start();
      return deliverer;
    },
  };
}

function permitted(url: string, permission: NetworkPermission): string {
  try {
    return checkUrl(url, permission).href;
  } catch (error) {
    if (!FlowRunError.isInstance(error)) throw error;
    throw new FlowRunError("invalid-input", error.message, { cause: error });
  }
}
