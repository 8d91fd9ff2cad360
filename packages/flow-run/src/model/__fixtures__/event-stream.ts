import { crc32 } from "node:zlib";

export interface StreamEvent {
  /** An event, an exception of the service's model, or an error that its model does not know. */
  event?: string;
  exception?: string;
  error?: string;
  /** JSON, or the text of it where it holds what JSON.stringify would not write. */
  payload: object | string;
}

const STRING_TYPE = 7;

/** Events as AWS streams them (`application/vnd.amazon.eventstream`): lengths, headers and payload between two checksums each. */
export function eventStream(events: readonly StreamEvent[]): Buffer {
  return Buffer.concat(events.map(frame));
}

function frame({ event, exception, error, payload }: StreamEvent): Buffer {
  const kind = event === undefined ? (exception === undefined ? "error" : "exception") : "event";
  const name = kind === "error" ? ":error-code" : `:${kind}-type`;
  const headers = Buffer.concat([
    header(name, (event ?? exception ?? error)!),
    header(":content-type", "application/json"),
    header(":message-type", kind),
  ]);
  const body = Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
  const bytes = Buffer.alloc(12 + headers.length + body.length + 4);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(headers.length, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  headers.copy(bytes, 12);
  body.copy(bytes, 12 + headers.length);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

function header(name: string, value: string): Buffer {
  const bytes = Buffer.alloc(1 + name.length + 3 + value.length);
  bytes.writeUInt8(name.length, 0);
  bytes.write(name, 1);
  bytes.writeUInt8(STRING_TYPE, 1 + name.length);
  bytes.writeUInt16BE(value.length, 2 + name.length);
  bytes.write(value, 4 + name.length);
  return bytes;
}
