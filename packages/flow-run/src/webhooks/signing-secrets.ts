import { randomBytes } from "node:crypto";
import { FlowRunError, type WebhookSecret } from "@flow-run/spec";
import type { SealedSecret, WebhookStore } from "../store/index.ts";
import type { SecretBox } from "./secret-box.ts";
import { SECRET_PREFIX } from "./sign.ts";

const SECRET_BYTES = 32;

/** How long messages carry two signatures after a rotation. */
const OVERLAP_SECONDS = 24 * 60 * 60;

/** Deliveries of a moment share one look at the database; a rotation in another process is seen after this. */
const REMEMBERED_MS = 1_000;

/** The secret of each environment: made at first use, encrypted in the database, rotated on demand. Methods throw code `webhooks-not-configured`. */
export class SigningSecrets {
  private readonly store: () => WebhookStore;
  private readonly box: SecretBox;
  private readonly now: () => number;
  /** Environments that are known to have a secret. */
  private readonly prepared = new Set<string>();
  private readonly remembered = new Map<string, { untilMs: number; secrets: Promise<string[]> }>();

  constructor(store: () => WebhookStore, box: SecretBox, now: () => number) {
    this.store = store;
    this.box = box;
    this.now = now;
  }

  /** Makes the secret when there is none yet. Cheap from the second call on. */
  async prepare(environment: string): Promise<void> {
    if (this.prepared.has(environment)) return;
    await this.read(environment);
    this.prepared.add(environment);
  }

  async show(environment: string): Promise<WebhookSecret> {
    return this.toWire(environment, await this.read(environment));
  }

  /** A new secret; messages are signed with the old one as well for 24 hours. */
  async rotate(environment: string): Promise<WebhookSecret> {
    this.assertKey();
    const sealed = this.box.seal(newSecret(), environment);
    const rotated =
      (await this.store().rotateSecret(environment, sealed, OVERLAP_SECONDS)) ?? (await this.store().keepSecret(environment, sealed));
    this.remembered.delete(environment);
    return this.toWire(environment, rotated);
  }

  /** All that a message is signed with just now, the present one first. */
  forSigning(environment: string): Promise<string[]> {
    const known = this.remembered.get(environment);
    if (known !== undefined && this.now() < known.untilMs) return known.secrets;
    const secrets = this.readForSigning(environment);
    this.remembered.set(environment, { untilMs: this.now() + REMEMBERED_MS, secrets });
    secrets.catch(() => this.remembered.delete(environment));
    return secrets;
  }

  private async readForSigning(environment: string): Promise<string[]> {
    const { secret, previous } = this.toWire(environment, await this.read(environment));
    return previous === null ? [secret] : [secret, previous.secret];
  }

  private async read(environment: string): Promise<SealedSecret> {
    this.assertKey();
    return (
      (await this.store().findSecret(environment)) ?? (await this.store().keepSecret(environment, this.box.seal(newSecret(), environment)))
    );
  }

  private toWire(environment: string, { current, previous }: SealedSecret): WebhookSecret {
    const secret = this.box.open(current, environment);
    if (secret === null) {
      throw new FlowRunError(
        "webhooks-not-configured",
        `The webhook secret of "${environment}" was encrypted with another key. Set FLOW_RUN_ENCRYPTION_KEY (or FLOW_RUN_ADMIN_KEY) to what it was, or make a new secret: POST /v1/webhooks/secret/rotate.`,
      );
    }
    const before = previous === null ? null : this.box.open(previous.sealed, environment);
    return { environment, secret, previous: before === null ? null : { secret: before, validUntil: previous!.validUntil } };
  }

  private assertKey(): void {
    if (this.box.hasKey) return;
    throw new FlowRunError(
      "webhooks-not-configured",
      "Webhooks are signed with a secret that is stored encrypted, and the server has no key for that: set FLOW_RUN_ENCRYPTION_KEY (or FLOW_RUN_ADMIN_KEY) to a long random text and start it again.",
    );
  }
}

function newSecret(): string {
  return SECRET_PREFIX + randomBytes(SECRET_BYTES).toString("base64");
}
