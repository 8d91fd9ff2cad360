import { RequestRefusal } from "./request-refusal.ts";

const MAX_LENGTH = 255;

/**
 * The value of an `Idempotency-Key` header: a quoted string as the draft standard has it, or the bare value as most clients send it. null when there is none.
 */
export function readIdempotencyKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  if (Array.isArray(header)) throw refusal("it stands there more than once");
  const key = unquote(header.trim());
  if (key === "") throw refusal("it is empty");
  if (key.length > MAX_LENGTH) throw refusal(`it has ${key.length} characters`);
  if (!/^[\x20-\x7e]*$/.test(key)) throw refusal("it contains characters other than printable ASCII");
  return key;
}

function unquote(value: string): string {
  if (!value.startsWith('"')) return value;
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(value);
  if (quoted === null) throw refusal("its quotes do not match");
  return quoted[1]!.replace(/\\(["\\])/g, "$1");
}

function refusal(why: string): RequestRefusal {
  return new RequestRefusal(
    "malformed-request",
    `The header Idempotency-Key cannot be used: ${why}. Send 1 to ${MAX_LENGTH} printable ASCII characters, for example a UUID in quotes.`,
    { errors: [{ detail: why, parameter: "Idempotency-Key" }] },
  );
}
