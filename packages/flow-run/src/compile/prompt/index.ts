// Prompts: rendering a Dotprompt template into messages, and checking it against its input schema without rendering.
export type { MessageWithSections, PromptMessage, PromptPart, PromptRole } from "./prompt-message.ts";
export { type PreparedPrompt, type PromptTemplate, preparePrompt, type RenderData } from "./render.ts";
