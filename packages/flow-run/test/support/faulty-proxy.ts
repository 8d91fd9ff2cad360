import { once } from "node:events";
import net from "node:net";

export interface FaultyProxy {
  /** The database's URL, through the proxy. */
  url: string;
  /** The next message from a client that contains `text` reaches the server and is executed; its answer is lost with the connection. Resolves then. */
  loseAnswerOf(text: string): Promise<void>;
  /** Refuses new connections and cuts the present ones, until `heal`. */
  partition(): void;
  heal(): void;
  close(): Promise<void>;
}

/** A TCP proxy before a PostgreSQL server, to make its network fail in chosen ways. */
export async function startFaultyProxy(databaseUrl: string): Promise<FaultyProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<net.Socket>();
  let refusing = false;
  let losing: { text: string; done: () => void } | null = null;

  const server = net.createServer((client) => {
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    const upstream = net.connect(Number(target.port), target.hostname);
    let lost: (() => void) | null = null;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    client.on("close", () => {
      sockets.delete(client);
      upstream.destroy();
    });
    upstream.on("close", () => {
      sockets.delete(upstream);
      client.destroy();
    });
    client.on("data", (data) => {
      if (losing && data.includes(losing.text)) {
        lost = losing.done;
        losing = null;
      }
      upstream.write(data);
    });
    let swallowed = Buffer.alloc(0);
    upstream.on("data", (data) => {
      if (!lost) {
        client.write(data);
        return;
      }
      // ReadyForQuery, idle: the server has committed.
      swallowed = Buffer.concat([swallowed, data]);
      if (!swallowed.subarray(-6).equals(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]))) return;
      client.resetAndDestroy();
      lost();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(databaseUrl);
  url.port = String((server.address() as net.AddressInfo).port);
  url.hostname = "127.0.0.1";

  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: url.toString(),
    loseAnswerOf: (text) =>
      new Promise((resolve) => {
        losing = { text, done: resolve };
      }),
    partition() {
      refusing = true;
      cut();
    },
    heal() {
      refusing = false;
    },
    async close() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
