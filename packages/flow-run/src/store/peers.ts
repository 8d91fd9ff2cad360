import type { Database, Subscription } from "./database/index.ts";
import { CHANNEL } from "./queries/notify-ended.ts";

/** PostgreSQL takes payloads of less than 8,000 bytes; callers cut their messages to this. */
export const LONGEST_MESSAGE_BYTES = 7_800;

/**
 * Messages between the processes of an installation, for what is worth nothing later: never stored, and lost when nobody listens or a connection breaks.
 * Those of one process arrive in the order in which it sent them.
 */
export interface Peers {
  /** Names this process. */
  readonly self: string;
  /** Every other process hears it. A word and what belongs to it. Resolves once sent. */
  tellAll(message: string): Promise<void>;
  /** One process hears it, if it receives. Resolves once sent. */
  tell(to: string, messages: readonly string[]): Promise<void>;
  /** What others told all. */
  onTold(callback: (from: string, message: string) => void): () => void;
  /** What others told all may have been missed, because a connection was lost. */
  onMissed(callback: () => void): () => void;
  /** What is told to this process alone, on a connection of its own. `onMissed` is called at once and after every lost connection. */
  receive(onMessage: (message: string) => void, onMissed: () => void): Promise<Subscription>;
}

/** The word of such messages among the notices of the one channel that every process listens to. */
export const TOLD = "told";

export interface DatabasePeersParts {
  database: Database;
  sender: string;
  onTold: Peers["onTold"];
  onMissed: Peers["onMissed"];
}

/** Over NOTIFY. Nothing that is sent here needs to be durable, so no commit of it waits for the disk. */
export class DatabasePeers implements Peers {
  readonly self: string;
  readonly onTold: Peers["onTold"];
  readonly onMissed: Peers["onMissed"];
  private readonly database: Database;

  constructor({ database, sender, onTold, onMissed }: DatabasePeersParts) {
    this.database = database;
    this.self = sender;
    this.onTold = onTold;
    this.onMissed = onMissed;
  }

  tellAll(message: string): Promise<void> {
    return this.notify(CHANNEL, [`${this.self} ${TOLD} ${message}`]);
  }

  tell(to: string, messages: readonly string[]): Promise<void> {
    return this.notify(channelOf(to), messages);
  }

  receive(onMessage: (message: string) => void, onMissed: () => void): Promise<Subscription> {
    return this.database.listen(channelOf(this.self), onMessage, onMissed);
  }

  private async notify(channel: string, payloads: readonly string[]): Promise<void> {
    await this.database.batch([
      ["SELECT set_config('synchronous_commit', 'off', true)"],
      ["SELECT pg_notify($1, payload) FROM unnest($2::text[]) WITH ORDINALITY AS p (payload, ord) ORDER BY ord", [channel, payloads]],
    ]);
  }
}

function channelOf(process: string): string {
  return `${CHANNEL}_${Buffer.from(process, "base64url").toString("hex")}`;
}
