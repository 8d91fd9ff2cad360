import type { Database } from "./database/index.ts";
import { Batcher } from "./group-commit/batcher.ts";
import { type AnswerToKeep, findCachedAnswers, keepAnswers, pruneCachedAnswers } from "./queries/cached-answers.ts";
import type { CachedAnswer, CacheKey, SharedResponseCache } from "./response-cache.ts";
import { storeJson } from "./storable-json.ts";

/** UTF-16 units of the JSON of an answer; longer ones are not kept. */
const LONGEST_ANSWER = 1_000_000;
const MOST_CHARACTERS = 4_000_000;

/** The answers in the database, shared by all workers. What is asked or kept in one turn of the event loop is one statement. */
export class DatabaseResponseCache implements SharedResponseCache {
  private readonly database: Database;
  private readonly onTrouble: (error: unknown, doing: string) => void;
  private readonly finds: Batcher<CacheKey, CachedAnswer | null>;
  private readonly keeps: Batcher<AnswerToKeep, null>;
  /** On their way to the database: who asks next need not wait for that. */
  private readonly underWay = new Map<string, CachedAnswer>();

  constructor({ database, onTrouble }: { database: Database; onTrouble(error: unknown, doing: string): void }) {
    this.database = database;
    this.onTrouble = onTrouble;
    this.finds = new Batcher({ write: (keys) => findCachedAnswers(database, keys), maxItems: 500, maxInFlight: 2 });
    this.keeps = new Batcher({
      write: async (answers) => {
        await keepAnswers(database, answers);
        return answers.map(() => null);
      },
      maxItems: 250,
      maxWeight: MOST_CHARACTERS,
      weigh: ({ answer }) => answer.length,
    });
  }

  async get(key: CacheKey): Promise<CachedAnswer | null> {
    try {
      return this.underWay.get(nameOf(key)) ?? (await this.finds.add(key));
    } catch (error) {
      this.onTrouble(error, "looking for a cached answer");
      return null;
    }
  }

  put(key: CacheKey, answer: CachedAnswer): void {
    try {
      const text = storeJson({ ...answer }) ?? "null";
      if (text.length > LONGEST_ANSWER) return;
      const name = nameOf(key);
      this.underWay.set(name, answer);
      this.keeps
        .add({ ...key, answer: text })
        .catch((error) => this.onTrouble(error, "keeping an answer"))
        .finally(() => this.underWay.get(name) === answer && this.underWay.delete(name));
    } catch {
      // Nested too deeply to be written; the step says so itself.
    }
  }

  prune(): Promise<number> {
    return pruneCachedAnswers(this.database);
  }

  async drain(): Promise<void> {
    await this.keeps.drain();
  }
}

function nameOf({ environment, key }: CacheKey): string {
  return `${key} ${environment}`;
}
