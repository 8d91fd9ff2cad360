import { type Feedback, FlowRunError } from "@flow-run/spec";
import type { Database } from "./database/index.ts";
import { type FeedbackStore, MOST_FEEDBACK, type NewFeedback } from "./feedback-store.ts";
import { keyReused } from "./group-commit/submitter.ts";
import { addFeedback, listFeedback } from "./queries/feedback.ts";
import { isStorable } from "./storable-json.ts";

export interface DatabaseFeedbackStoreParts {
  database: Database;
  /** Repeats what a lost connection broke off. */
  persist<Answer>(ask: () => Promise<Answer>): Promise<Answer>;
}

/** Feedback over either database. */
export class DatabaseFeedbackStore implements FeedbackStore {
  private readonly parts: DatabaseFeedbackStoreParts;

  constructor(parts: DatabaseFeedbackStoreParts) {
    this.parts = parts;
  }

  async add(feedback: NewFeedback): Promise<{ feedback: Feedback; replayed: boolean } | null> {
    const { value, comment, step, author } = feedback;
    if (!isStorable([value, comment, step, author])) {
      throw new FlowRunError(
        "not-storable",
        "The feedback contains U+0000 or half of a surrogate pair, which no database can store. Remove it.",
      );
    }
    const added = await this.parts.persist(() => addFeedback(this.parts.database, feedback));
    if (added === null) return null;
    const { standing, count, hasStep } = added;
    if (standing !== null) {
      if (standing.fingerprint !== feedback.fingerprint) throw keyReused();
      return { feedback: standing.feedback, replayed: standing.feedback.id !== feedback.id };
    }
    if (count < MOST_FEEDBACK && !hasStep) {
      throw new FlowRunError(
        "unknown-step",
        `The run has no step ${JSON.stringify(step)}; GET /v1/runs/${feedback.run}/steps lists those it has.`,
      );
    }
    throw new FlowRunError("too-much-feedback", `The run has ${count} pieces of feedback, and takes no more.`);
  }

  list(environment: string, run: string): Promise<Feedback[] | null> {
    return this.parts.persist(() => listFeedback(this.parts.database, environment, run));
  }
}
