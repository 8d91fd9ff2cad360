import type { LanguageModelV4FilePart, LanguageModelV4Message, LanguageModelV4Prompt, LanguageModelV4TextPart } from "@ai-sdk/provider";
import type { Message, MessagePart } from "../model.ts";
import { ModelCallError } from "../model-call-error.ts";

/**
 * Our messages as the library's prompt. `instruction` is added to the leading system text. With `systemFirst`, system messages that come later
 * speak as the user: those vendors refuse them elsewhere.
 */
export function convertMessages(messages: readonly Message[], systemFirst: boolean, instruction: string | null): LanguageModelV4Prompt {
  const prompt: LanguageModelV4Prompt = [];
  let leading = true;
  for (const message of messages) {
    if (message.role !== "system") leading = false;
    prompt.push(convertMessage(message, systemFirst && !leading));
  }
  if (instruction !== null) addInstruction(prompt, instruction);
  return prompt;
}

function convertMessage(message: Message, systemAsUser: boolean): LanguageModelV4Message {
  switch (message.role) {
    case "system":
      return systemAsUser ? { role: "user", content: message.content.map(convertPart) } : { role: "system", content: textOf(message) };
    case "user":
      return { role: "user", content: message.content.map(convertPart) };
    case "model":
      return { role: "assistant", content: message.content.map(convertPart) };
    case "tool":
      throw new ModelCallError(
        "provider-rejected",
        "A message of role tool cannot be sent outside an agent. Use the roles system, user and model.",
      );
  }
}

function textOf(message: Message): string {
  return message.content
    .map((part) => {
      if ("text" in part) return part.text;
      throw new ModelCallError("provider-rejected", "A system message can hold text only. Move the media into a user message.");
    })
    .join("");
}

function convertPart(part: MessagePart): LanguageModelV4TextPart | LanguageModelV4FilePart {
  if ("text" in part) return { type: "text", text: part.text };
  const { url, contentType } = part.media;
  const inline = /^data:([^;,]*)((?:;[^;,]*)*),/i.exec(url);
  if (inline !== null) {
    const content = url.slice(inline[0].length);
    const base64 = /;base64$/i.test(inline[2]!) ? content : Buffer.from(decodeURIComponent(content)).toString("base64");
    return { type: "file", mediaType: contentType ?? (inline[1] || "text/plain"), data: { type: "data", data: base64 } };
  }
  let address: URL;
  try {
    address = new URL(url);
  } catch {
    throw new ModelCallError("provider-rejected", "A media part needs a full URL or a data: URL.");
  }
  return { type: "file", mediaType: contentType ?? guessMediaType(address.pathname), data: { type: "url", url: address } };
}

const MEDIA_TYPES: { [extension: string]: string } = {
  gif: "image/gif",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  pdf: "application/pdf",
  png: "image/png",
  wav: "audio/wav",
  webp: "image/webp",
};

function guessMediaType(path: string): string {
  return MEDIA_TYPES[path.slice(path.lastIndexOf(".") + 1).toLowerCase()] ?? "image/*";
}

function addInstruction(prompt: LanguageModelV4Prompt, instruction: string): void {
  const first = prompt[0];
  if (first?.role === "system") prompt[0] = { ...first, content: `${first.content}\n\n${instruction}` };
  else prompt.unshift({ role: "system", content: instruction });
}
