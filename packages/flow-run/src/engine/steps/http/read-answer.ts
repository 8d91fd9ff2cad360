import type { Json, JsonSchema } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import type { Validators } from "../../../compile/index.ts";
import type { HttpAnswer } from "../../http-caller.ts";

/** The body as a workflow reads it: JSON where the content type says so, else text. Throws FlowRunError `bad-answer` or `answer-invalid`. */
export function readAnswerBody(answer: HttpAnswer, validators: Validators, schema: JsonSchema | undefined): Json {
  const type = answer.headers["content-type"] ?? "";
  const isJson = /^\s*(application\/([\w.+-]+\+)?|text\/)json\s*(;|$)/i.test(type);
  const body = answer.body.length === 0 && (isJson || type === "") ? null : isJson ? parse(answer.body) : decode(answer.body, type);
  const { errors } = validators.validate(schema ?? true, body);
  const [first] = errors;
  if (first === undefined) return body;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  throw new FlowRunError(
    schema === undefined ? "bad-answer" : "answer-invalid",
    `The answer's body does not fit${schema === undefined ? "" : " the step's output schema"}: ${first.pointer || "the body"} ${first.message}${more}.`,
  );
}

/** The beginning of a body as text, for messages. */
export function excerptOf(answer: HttpAnswer, redact: (text: string) => string, length: number): string {
  const text = redact(decode(answer.body, answer.headers["content-type"] ?? ""))
    .replace(/\s+/g, " ")
    .trim();
  // Half a surrogate pair is no text.
  return text.length <= length ? text : `${text.slice(0, length).toWellFormed()}…`;
}

function parse(bytes: Uint8Array): Json {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Json;
  } catch {
    // The parser's own message quotes the body.
    throw new FlowRunError("bad-answer", "The answer says that it is JSON, and it is not.");
  }
}

function decode(bytes: Uint8Array, contentType: string): string {
  const charset = /;\s*charset\s*=\s*"?([\w.:-]+)/i.exec(contentType)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}
