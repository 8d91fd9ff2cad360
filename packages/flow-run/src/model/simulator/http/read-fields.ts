import type { Json, JsonObject, JsonSchema } from "@flow-run/spec";
import type { Message, MessagePart } from "../../model.ts";
import { WireError } from "./protocol.ts";

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The model's name from a body. */
export function readModel(body: JsonObject): string {
  const { model } = body;
  if (typeof model !== "string" || model === "") throw new WireError("you must provide a model parameter");
  return model;
}

export function readList(body: JsonObject, name: string): Json[] {
  const value = body[name];
  if (!Array.isArray(value) || value.length === 0) throw new WireError(`'${name}' must be a list of at least one item`);
  return value;
}

export function readSchema(value: Json | undefined, place: string): JsonSchema {
  if (typeof value === "boolean" || isObject(value)) return value;
  throw new WireError(`'${place}' must be a JSON Schema`);
}

/** Everything in a body that says how to answer, without the keys that say what and how to send. */
export function readConfig(body: JsonObject, others: ReadonlySet<string>): JsonObject {
  const config: JsonObject = {};
  for (const name of Object.keys(body)) if (!others.has(name)) config[name] = body[name]!;
  return config;
}

/** Content of a message: text, or parts; `partOf` gives null for a part that is neither text nor media. */
export function readContent(content: Json | undefined, partOf: (part: JsonObject) => MessagePart | null, place: string): MessagePart[] {
  if (typeof content === "string") return [{ text: content }];
  if (content === null || content === undefined) return [];
  if (!Array.isArray(content)) throw new WireError(`'${place}' must be text or a list of parts`);
  const parts: MessagePart[] = [];
  for (const part of content) {
    const read = isObject(part) ? partOf(part) : null;
    if (read) parts.push(read);
  }
  return parts;
}

const ROLES: { [name: string]: Message["role"] } = {
  system: "system",
  developer: "system",
  user: "user",
  assistant: "model",
  model: "model",
  tool: "tool",
  function: "tool",
};

export function readRole(role: Json | undefined, place: string): Message["role"] {
  const known = typeof role === "string" && Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
  if (!known) throw new WireError(`'${place}' must be one of ${Object.keys(ROLES).join(", ")}`);
  return known;
}
