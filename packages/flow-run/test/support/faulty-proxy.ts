import { once } from "node:events";
import net from "node:net";

export interface FaultyProxy {
  /** The database's URL, through the proxy. */
  url: string;
  /** The next message from a client that contains `text` reaches the server and is executed; its answer is lost with the connection. Resolves then. */
  loseAnswerOf(text: string): Promise<void>;
  /** Refuses new connections and cuts the present ones, until `heal`. */
  partition(): void;
  /** Nothing passes any more, and nobody is told: what is sent waits, also of new connections, until `heal`. */
  hang(): void;
  /** From now on everything arrives so much later, in both directions; until `heal`. */
  delay(ms: number): void;
  /** Cuts the present connections; new ones are welcome. Returns how many there were. */
  reset(): number;
  heal(): void;
  close(): Promise<void>;
}

/** A connection from a client, and the one to the server that belongs to it. */
type Pair = readonly [client: net.Socket, upstream: net.Socket];

/** A TCP proxy before a server (of a database, if answers are to be lost), to make its network fail in chosen ways. */
export async function startFaultyProxy(serverUrl: string, { host = "127.0.0.1" }: { host?: string } = {}): Promise<FaultyProxy> {
  const target = new URL(serverUrl);
  const pairs = new Set<Pair>();
  let refusing = false;
  let hanging = false;
  let delayMs = 0;
  let losing: { text: string; done: () => void } | null = null;

  /** Later, but in order: timers of one length fire in the order in which they were set. */
  function pass(data: Buffer, to: net.Socket): void {
    if (delayMs === 0) to.write(data);
    else setTimeout(() => to.writable && to.write(data), delayMs);
  }

  const server = net.createServer((client) => {
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    const upstream = net.connect(Number(target.port), target.hostname);
    const pair: Pair = [client, upstream];
    pairs.add(pair);
    for (const [socket, other] of [pair, pair.toReversed() as unknown as Pair]) {
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        pairs.delete(pair);
        other.destroy();
      });
    }
    let lost: (() => void) | null = null;
    client.on("data", (data) => {
      if (losing && data.includes(losing.text)) {
        lost = losing.done;
        losing = null;
      }
      pass(data, upstream);
    });
    let swallowed = Buffer.alloc(0);
    upstream.on("data", (data) => {
      if (!lost) {
        pass(data, client);
        return;
      }
      // ReadyForQuery, idle: the server has committed.
      swallowed = Buffer.concat([swallowed, data]);
      if (!swallowed.subarray(-6).equals(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]))) return;
      client.resetAndDestroy();
      lost();
    });
    if (hanging) for (const socket of pair) socket.pause();
  });
  server.listen(0, host);
  await once(server, "listening");
  const url = new URL(serverUrl);
  url.port = String((server.address() as net.AddressInfo).port);
  url.hostname = host;

  const cut = () => {
    const cutOff = [...pairs];
    for (const socket of cutOff.flat()) socket.resetAndDestroy();
    return cutOff.length;
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
    hang() {
      hanging = true;
      for (const socket of [...pairs].flat()) socket.pause();
    },
    delay(ms) {
      delayMs = ms;
    },
    reset: cut,
    heal() {
      refusing = false;
      delayMs = 0;
      if (hanging) for (const socket of [...pairs].flat()) socket.resume();
      hanging = false;
    },
    async close() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
