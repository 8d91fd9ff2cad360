import type { ServerResponse } from "node:http";
import { pause } from "../pause.ts";
import type { SimulatedAnswer } from "../simulated-answer.ts";
import { splitPieces } from "../split-pieces.ts";
import type { Protocol, TextAnswer, WireRequest } from "./protocol.ts";
import type { LoggedRequest } from "./request-log.ts";

/** One request under way. */
export interface Exchange {
  protocol: Protocol;
  wire: WireRequest;
  response: ServerResponse;
  /** Aborted when the client has left. */
  gone: AbortSignal;
  entry: LoggedRequest;
  requestId: string;
}

/** Sends an answer as the vendor would, at its time and with its fault. Resolves when there is nothing more to do. */
export async function sendAnswer(exchange: Exchange, answer: SimulatedAnswer): Promise<void> {
  const { gone } = exchange;
  if (answer.timing.beginMs > 0) await pause(answer.timing.beginMs, gone);
  if (gone.aborted) return;
  if (answer.kind === "silence") return;
  if (answer.kind === "refusal") return sendRefusal(exchange, answer);
  exchange.entry.usage = answer.usage && answer.rawUsage === undefined ? exchange.protocol.billed(answer.usage) : null;
  if (answer.fault?.kind === "cut" && answer.fault.afterPieces === 0) {
    exchange.entry.usage = null;
    exchange.response.destroy();
    return;
  }
  await (exchange.wire.stream ? sendStream(exchange, answer) : sendWhole(exchange, answer));
}

function sendRefusal({ protocol, response, entry, requestId }: Exchange, answer: SimulatedAnswer & { kind: "refusal" }): void {
  const status = protocol.status(answer.status);
  const body = answer.body ?? JSON.stringify(protocol.error(status, answer.message, requestId, answer.retryAfterMs));
  entry.status = status;
  response.writeHead(status, {
    "content-type": "application/json",
    [protocol.requestIdHeader]: requestId,
    ...retryHeaders(answer.retryAfterMs),
    ...lowerCaseNames(answer.headers),
    "content-length": Buffer.byteLength(body),
  });
  response.end(status === 204 || status === 304 ? undefined : body);
}

async function sendWhole({ protocol, wire, response, gone, entry, requestId }: Exchange, answer: TextAnswer): Promise<void> {
  const { fault, timing } = answer;
  if (timing.firstTextMs > 0 || timing.perPieceMs > 0) {
    await pause(timing.firstTextMs + timing.perPieceMs * splitPieces(answer.text).length, gone);
    if (gone.aborted) return;
  }
  const whole = JSON.stringify(protocol.whole(wire, answer));
  entry.status = 200;
  if (!fault || fault.kind === "malformed-body") {
    entry.answeredInFull = !fault;
    const body = fault ? whole.slice(0, Math.ceil(whole.length / 2)) : whole;
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      [protocol.requestIdHeader]: requestId,
    });
    response.end(body);
    return;
  }
  const endless = fault.kind === "endless";
  response.writeHead(200, {
    "content-type": "application/json",
    [protocol.requestIdHeader]: requestId,
    ...(endless ? {} : { "content-length": Buffer.byteLength(whole) }),
  });
  await write(response, whole.slice(0, Math.ceil(whole.length / 2)), gone);
  if (endless) await writeWithoutEnd(response, () => " and so on".repeat(100), gone);
  else if (fault.kind === "cut") response.destroy();
}

async function sendStream({ protocol, wire, response, gone, entry, requestId }: Exchange, answer: TextAnswer): Promise<void> {
  const { fault, timing } = answer;
  const stream = protocol.stream(wire, answer);
  const pieces = splitPieces(answer.text);
  entry.status = 200;
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    [protocol.requestIdHeader]: requestId,
  });
  if (fault?.kind === "malformed-body") {
    response.end(`${stream.opening}data: {"this is not\n\n`);
    return;
  }
  const stopAt =
    fault?.kind === "cut" || fault?.kind === "stall"
      ? fault.afterPieces === "half"
        ? Math.ceil(pieces.length / 2)
        : fault.afterPieces
      : pieces.length;
  const sent = pieces.slice(0, stopAt);
  if (timing.firstTextMs === 0 && timing.perPieceMs === 0) {
    const text = stream.opening + sent.map((piece) => stream.piece(piece)).join("");
    if (!fault) {
      entry.answeredInFull = true;
      response.end(text + stream.closing());
      return;
    }
    await write(response, text, gone);
  } else {
    await write(response, stream.opening, gone);
    await pause(timing.firstTextMs, gone);
    const firstAt = performance.now();
    for (const [index, piece] of sent.entries()) {
      const dueMs = firstAt + index * timing.perPieceMs - performance.now();
      if (dueMs >= 1) await pause(dueMs, gone);
      if (gone.aborted) return;
      await write(response, stream.piece(piece), gone);
    }
  }
  if (gone.aborted) return;
  switch (fault?.kind) {
    case undefined:
      entry.answeredInFull = true;
      response.end(stream.closing());
      return;
    case "cut":
      response.destroy();
      return;
    case "endless":
      return await writeWithoutEnd(response, () => stream.piece(" and so on").repeat(20), gone);
    case "stall":
      return;
  }
}

/** Hands text to the socket and waits until the client takes it, so that an endless answer does not fill this process's memory. */
function write(response: ServerResponse, text: string, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (gone.aborted || text === "") return resolve();
    const end = () => {
      gone.removeEventListener("abort", end);
      resolve();
    };
    gone.addEventListener("abort", end);
    response.write(text, end);
  });
}

async function writeWithoutEnd(response: ServerResponse, more: () => string, gone: AbortSignal): Promise<void> {
  while (!gone.aborted) await write(response, more(), gone);
}

/** Whole seconds as HTTP has them, and the exact time as OpenAI and Anthropic send it. */
function retryHeaders(retryAfterMs: number | null): { [name: string]: string } {
  if (retryAfterMs === null) return {};
  return { "retry-after": String(Math.ceil(retryAfterMs / 1000)), "retry-after-ms": String(retryAfterMs) };
}

function lowerCaseNames(headers: { [name: string]: string }): { [name: string]: string } {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
