import { z } from "zod";

/** What a run, or one of its steps, is worth to somebody: `{ name: "correct", value: true }`. Never changed; the newest of a name counts. */
export const giveFeedbackSchema = z.strictObject({
  /** What is judged: letters, digits and `_ - . :`, at most 64. */
  name: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}$/, "use letters, digits, _ - . and :, at most 64"),
  /** A number, true or false, or a text of at most 1,000 characters. */
  value: z.union([z.number(), z.boolean(), z.string().min(1).max(1000)]),
  comment: z.string().max(4000).optional(),
  /** Path of a step; default: the run as a whole. */
  step: z.string().min(1).max(1024).optional(),
  /** Who says so. */
  author: z.string().min(1).max(128).optional(),
});
export type GiveFeedback = z.infer<typeof giveFeedbackSchema>;

export const feedbackSchema = z.object({
  id: z.string(),
  run: z.string(),
  name: z.string(),
  value: z.union([z.number(), z.boolean(), z.string()]),
  comment: z.string().nullable(),
  /** null: the run as a whole. */
  step: z.string().nullable(),
  author: z.string().nullable(),
  createdAt: z.iso.datetime(),
});
export type Feedback = z.infer<typeof feedbackSchema>;

export const feedbackListSchema = z.object({ feedback: z.array(feedbackSchema), nextCursor: z.string().nullable() });
export type FeedbackList = z.infer<typeof feedbackListSchema>;
