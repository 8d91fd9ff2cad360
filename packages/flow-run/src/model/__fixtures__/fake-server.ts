import http from "node:http";
import type { AddressInfo, Socket } from "node:net";

export interface ReceivedRequest {
  path: string;
  headers: http.IncomingHttpHeaders;
  /** Parsed when it is JSON. */
  body: unknown;
  text: string;
}

export type Answer = (request: ReceivedRequest, response: http.ServerResponse) => void;

/** A server of the test's own that answers each request with the next answer of a list, or with the last one for ever. */
export interface FakeServer {
  origin: string;
  requests: ReceivedRequest[];
  /** Sockets that were opened so far. */
  connections: number;
  answers(...answers: Answer[]): void;
  /** Resolves when a request whose answer hangs has been given up by the other side. */
  disconnected(): Promise<void>;
  close(): Promise<void>;
}

export async function startFakeServer(tls?: { key: string; cert: string }): Promise<FakeServer> {
  let queue: Answer[] = [];
  const sockets = new Set<Socket>();
  const waiting: (() => void)[] = [];
  const listener: http.RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      let body: unknown = text;
      try {
        body = JSON.parse(text);
      } catch {}
      const received = { path: request.url ?? "", headers: request.headers, body, text };
      fake.requests.push(received);
      response.on("close", () => {
        if (!response.writableFinished) for (const wake of waiting.splice(0)) wake();
      });
      const answer = queue.length > 1 ? queue.shift()! : queue[0];
      if (answer === undefined) response.writeHead(500).end("no answer was prepared");
      else answer(received, response);
    });
  };
  const server = tls === undefined ? http.createServer(listener) : (await import("node:https")).createServer(tls, listener);
  server.on("connection", (socket: Socket) => {
    fake.connections++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const fake: FakeServer = {
    origin: "",
    requests: [],
    connections: 0,
    answers: (...answers) => {
      queue = answers;
    },
    disconnected: () => new Promise((resolve) => waiting.push(resolve)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  fake.origin = `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fake;
}

export function answerWith(status: number, contentType: string, body: string | Buffer, headers: http.OutgoingHttpHeaders = {}): Answer {
  return (_, response) => {
    response.writeHead(status, { "content-type": contentType, ...headers });
    response.end(body);
  };
}

/** Sends a part of a body, then breaks the connection. */
export function answerCut(contentType: string, part: string | Buffer): Answer {
  return (_, response) => {
    response.writeHead(200, { "content-type": contentType });
    response.write(part, () => response.socket?.destroy());
  };
}

/** Sends a part of a body (or not even a head) and then nothing more, connection open. */
export function answerStalled(contentType?: string, part?: string | Buffer): Answer {
  return (_, response) => {
    if (contentType === undefined) return;
    response.writeHead(200, { "content-type": contentType });
    response.write(part ?? "");
  };
}
