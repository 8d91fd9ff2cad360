import type { IncomingMessage } from "node:http";

/** The body as it came; null when it is larger than `maxBytes`, or the client left before its end. What is too much is not kept. */
export function readBody(request: IncomingMessage, maxBytes: number, done: (body: Buffer | null, tooLarge: boolean) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  let over = false;
  const finish = (body: Buffer | null, tooLarge = false) => {
    if (over) return;
    over = true;
    done(body, tooLarge);
  };
  request.on("data", (chunk: Buffer) => {
    if (over) return;
    size += chunk.length;
    if (size > maxBytes) return finish(null, true);
    chunks.push(chunk);
  });
  request.on("end", () => finish(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)));
  request.on("error", () => finish(null));
  request.on("close", () => finish(null));
}
