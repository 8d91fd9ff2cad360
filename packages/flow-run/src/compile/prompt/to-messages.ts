import type { Mark, Piece } from "./mark.ts";
import type { MessageWithSections, PromptMessage, PromptPart, PromptRole, SectionPart } from "./prompt-message.ts";

interface Draft {
  role: PromptRole;
  pieces: (string | Exclude<Mark, { kind: "role" | "history" }>)[];
}

/**
 * Builds messages by the rules of the Dotprompt specification: text before the first role is the user's, blank stretches between marks
 * are dropped, so are messages without content, and a conversation goes where `{{history}}` stands, else before the last user message.
 */
export function toMessages(pieces: readonly Piece[], conversation: readonly PromptMessage[]): MessageWithSections[] {
  let draft: Draft = { role: "user", pieces: [] };
  const drafts: (Draft | MessageWithSections)[] = [draft];
  let placed = false;
  for (const piece of pieces) {
    if (typeof piece === "string") {
      if (piece.trim() !== "") draft.pieces.push(piece);
    } else if (piece.kind === "role") {
      if (draft.pieces.length === 0) {
        draft.role = piece.role;
      } else {
        draft = { role: piece.role, pieces: [] };
        drafts.push(draft);
      }
    } else if (piece.kind === "history") {
      placed = true;
      for (const message of conversation) drafts.push({ ...message, metadata: { ...message.metadata, purpose: "history" } });
      draft = { role: "model", pieces: [] };
      drafts.push(draft);
    } else {
      draft.pieces.push(piece);
    }
  }
  const messages = drafts.flatMap((item) => ("pieces" in item ? toMessage(item) : [item]));
  return placed || conversation.length === 0 ? messages : insertConversation(messages, conversation);
}

function toMessage({ role, pieces }: Draft): MessageWithSections[] {
  const content: (PromptPart | SectionPart)[] = [];
  for (const piece of pieces) {
    if (typeof piece === "string") content.push({ text: piece });
    else if (piece.kind === "section") content.push({ metadata: { purpose: piece.purpose, pending: true } });
    else content.push({ media: { url: piece.url, ...(piece.contentType === undefined ? {} : { contentType: piece.contentType }) } });
  }
  return content.length === 0 ? [] : [{ role, content }];
}

function insertConversation(messages: MessageWithSections[], conversation: readonly PromptMessage[]): MessageWithSections[] {
  const last = messages.at(-1);
  return last?.role === "user" ? [...messages.slice(0, -1), ...conversation, last] : [...messages, ...conversation];
}

/** The messages without sections, adjoining texts joined, as a model is asked. */
export function withoutSections(messages: readonly MessageWithSections[]): PromptMessage[] {
  return messages.flatMap((message) => {
    const content: PromptPart[] = [];
    for (const part of message.content) {
      const last = content.at(-1);
      if ("media" in part) content.push(part);
      else if ("text" in part && last !== undefined && "text" in last) content[content.length - 1] = { text: last.text + part.text };
      else if ("text" in part) content.push(part);
    }
    return content.length === 0 ? [] : [{ ...message, content }];
  });
}
