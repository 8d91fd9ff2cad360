import { hash } from "node:crypto";
import type { Json, JsonSchema } from "@flow-run/spec";
import type { Message, ModelRequest } from "../model.ts";

/** What the simulator is asked, the same whether it came in process or over any vendor's wire. */
export interface SimulatorRequest {
  model: string;
  messages: Message[];
  config: { [name: string]: Json };
  /** Present: a structured answer is asked for. */
  output?: { schema?: JsonSchema; name?: string };
}

/** The port's request as the simulator sees it. */
export function toSimulatorRequest(model: string, request: ModelRequest): SimulatorRequest {
  return { model, messages: request.messages, config: request.config, ...(request.output ? { output: request.output } : {}) };
}

/** Hex digest that is equal for equal requests: model, messages, config and schema. Throws RangeError when the schema is nested too deeply. */
export function requestKey(request: SimulatorRequest): string {
  return hash("sha256", JSON.stringify([request.model, request.messages, request.config, request.output ?? null]), "hex");
}

/** The text of the messages, of one role or of all, a line break between parts. */
export function textOfMessages(messages: readonly Message[], role?: Message["role"]): string {
  let text = "";
  for (const message of messages) {
    if (role && message.role !== role) continue;
    for (const part of message.content) {
      if ("text" in part) text = text === "" ? part.text : `${text}\n${part.text}`;
    }
  }
  return text;
}

/** What the user said last; without a user message, what was said last. */
export function lastUserText(messages: readonly Message[]): string {
  const message = messages.findLast(({ role }) => role === "user") ?? messages.at(-1);
  return message ? textOfMessages([message]) : "";
}
