import type { Json } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import type { HttpRequest } from "../../http-caller.ts";
import type { RequestValues } from "./request-parts.ts";

/** Receivers keep keys of up to 255 characters. */
const LONGEST_KEY = 255;

/** What is sent: text as it is, everything else as JSON. Throws FlowRunError `bad-request`. */
export function toRequest(method: string, values: RequestValues, idempotencyKey: string): Omit<HttpRequest, "signal"> {
  if (typeof values.url !== "string") throw new FlowRunError("bad-request", "The URL of the request is not text.");
  const headers = readHeaders(values.headers ?? null);
  const has = (name: string) => Object.keys(headers).some((given) => given.toLowerCase() === name);
  if (!has("idempotency-key")) headers["idempotency-key"] = idempotencyKey;
  const { body = null } = values;
  if (body === null) return { method, url: values.url, headers, body };
  if (!has("content-type")) headers["content-type"] = typeof body === "string" ? "text/plain; charset=utf-8" : "application/json";
  return { method, url: values.url, headers, body: typeof body === "string" ? body : JSON.stringify(body) };
}

/** The same for every try and every repeat of a step, after a crash too, and for nothing else. */
export function idempotencyKeyOf(runId: string, path: string, digest: (text: string) => string): string {
  const key = `${runId}:${path}`;
  return key.length <= LONGEST_KEY ? key : `${runId}:${digest(path)}`;
}

function readHeaders(value: Json): { [name: string]: string } {
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value))
    throw new FlowRunError("bad-request", "The headers of the request are not an object.");
  const headers: { [name: string]: string } = {};
  for (const [name, entry] of Object.entries(value)) {
    if (entry === null) continue;
    if (typeof entry === "object") throw new FlowRunError("bad-request", `The header ${name} is not text.`);
    headers[name] = String(entry);
  }
  return headers;
}
