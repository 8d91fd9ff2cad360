import http from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedMessage {
  path: string;
  headers: Record<string, string>;
  body: string;
  atMs: number;
}

/** What an endpoint of a receiver does with a message; without a call of `response.end` it hangs. */
export type Behaviour = (response: http.ServerResponse, message: ReceivedMessage) => void;

export interface WebhookReceiver {
  url: string;
  port: number;
  messages: ReceivedMessage[];
  /** From now on messages to the path are treated so; without a behaviour they are answered 204. */
  at(path: string, behaviour: Behaviour): void;
  /** Resolves with all messages to the path once there are so many. */
  received(path: string, count: number): Promise<ReceivedMessage[]>;
  close(): Promise<void>;
}

/** A real endpoint on a free port of this machine. */
export async function startReceiver(): Promise<WebhookReceiver> {
  const messages: ReceivedMessage[] = [];
  const behaviours = new Map<string, Behaviour>();
  const waiting = new Set<() => void>();
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? "";
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const message = { path, headers, body: Buffer.concat(chunks).toString("utf8"), atMs: Date.now() };
    messages.push(message);
    for (const look of waiting) look();
    const behaviour = behaviours.get(path);
    if (behaviour) behaviour(response, message);
    else response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    messages,
    at: (path, behaviour) => void behaviours.set(path, behaviour),
    received: (path, count) =>
      new Promise((resolve) => {
        const look = () => {
          const found = messages.filter((message) => message.path === path);
          if (found.length < count) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
