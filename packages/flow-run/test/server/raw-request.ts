import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Sends bytes on a bare socket; resolves with all that came back once the server has closed the connection. */
export function rawRequest(server: { port: number }, bytes: string | Buffer, keepSending?: (socket: Socket) => void): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(server.port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let received = "";
  socket.on("data", (chunk) => {
    received += String(chunk);
  });
  socket.on("error", () => {});
  socket.on("close", () => resolve(received));
  socket.write(bytes);
  keepSending?.(socket);
  return promise;
}
