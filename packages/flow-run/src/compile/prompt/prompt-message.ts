/** One part of a rendered message. */
export type PromptPart = { text: string } | { media: { url: string; contentType?: string } };

/** A place that `{{section "…"}}` reserved for whoever works on the messages after rendering. */
export interface SectionPart {
  metadata: { purpose: string; pending: true };
}

export const PROMPT_ROLES = ["system", "user", "model", "tool"] as const;
export type PromptRole = (typeof PROMPT_ROLES)[number];

/** A message as a model is asked with it. */
export interface PromptMessage<Part = PromptPart> {
  role: PromptRole;
  content: Part[];
  /** `purpose: "history"` on messages that `{{history}}` inserted. */
  metadata?: { [name: string]: unknown };
}

/** A message as the Dotprompt specification describes it: sections stand among its parts. */
export type MessageWithSections = PromptMessage<PromptPart | SectionPart>;
