import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ProblemCode } from "@flow-run/spec";
import { problemOf } from "./error-response.ts";

/** Answers what is not even HTTP, or came too slowly, on the bare socket, and closes it. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  const [code, detail] = reason(error.code);
  const body = JSON.stringify(problemOf(code, detail));
  const { status } = JSON.parse(body) as { status: number };
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}

function reason(code: string | undefined): [ProblemCode, string] {
  if (code === "HPE_HEADER_OVERFLOW") return ["headers-too-large", "Send fewer or smaller headers."];
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return ["request-timeout", "Send the whole request faster."];
  return ["malformed-request", "This is not valid HTTP/1.1."];
}
