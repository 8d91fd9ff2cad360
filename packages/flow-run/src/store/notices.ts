import type { Database, Subscription } from "./database/index.ts";
import { TOLD } from "./peers.ts";
import { CHANNEL } from "./queries/notify-ended.ts";

/** What happened, here or in another process on the same database. */
export interface NoticeHandlers {
  queued(): void;
  ended(runIds: readonly string[]): void;
  /** A run that is under way got a signal that it waits for. */
  signalled(runId: string): void;
  /** `currentRelease` of the environment may be another now. */
  release(environment: string): void;
  apiKey(): void;
  /** A webhook is due. Told also by this process itself: the statement that makes it due has no other way to say so. */
  webhook(): void;
  /** Another process told all something that the store does not understand. */
  told(from: string, message: string): void;
  /** Notices may have been missed: look again at everything. */
  missed(): void;
}

/** Reads the one channel on which processes tell each other. Skips what this process itself has sent: it knew before. */
export async function listenForNotices(database: Database, sender: string, handlers: NoticeHandlers): Promise<Subscription> {
  return database.listen(
    CHANNEL,
    (payload) => {
      const [from, word, ...rest] = payload.split(" ");
      if (word === "webhook") handlers.webhook();
      if (from === sender) return;
      if (word === "queued") handlers.queued();
      else if (word === "ended") handlers.ended(rest);
      else if (word === "signalled") handlers.signalled(rest.join(" "));
      else if (word === TOLD) handlers.told(from!, rest.join(" "));
      else if (word === "release") handlers.release(rest.join(" "));
      else if (word === "api-key") handlers.apiKey();
    },
    () => handlers.missed(),
  );
}
