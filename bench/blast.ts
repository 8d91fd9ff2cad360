import { connect } from "node:net";

export interface BlastRequest {
  path: string;
  headers: Record<string, string>;
  body: string;
}

const CONNECTIONS = 32;
/** Requests on the way on one connection: a process that answers in bursts is never without work. */
const PIPELINED = 8;

/**
 * Posts n requests over plain sockets as fast as they are answered with 202, at a few µs of CPU each, so that on two cores the server is measured and not
 * its callers. Resolves with seconds.
 */
export async function blast(url: string, n: number, request: (index: number) => BlastRequest): Promise<number> {
  const { hostname, port, host } = new URL(url);
  const encode = (index: number) => {
    const { path, headers, body } = request(index);
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return `POST ${path} HTTP/1.1\r\nhost: ${host}\r\n${head.join("")}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  };
  // Before the clock starts.
  const requests = Array.from({ length: n }, (_, index) => encode(index));
  let next = 0;
  const lane = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      let open = 0;
      let rest = "";
      const send = (count: number) => {
        const some = requests.slice(next, next + count);
        next += some.length;
        open += some.length;
        if (some.length > 0) socket.write(some.join(""));
        else if (open === 0) socket.end(resolve);
      };
      socket.setEncoding("latin1").on("connect", () => send(PIPELINED));
      socket.on("error", reject).on("close", () => (open > 0 ? reject(new Error("the server closed a connection")) : resolve()));
      socket.on("data", (chunk: string) => {
        const text = rest + chunk;
        const parts = text.split(STATUS_LINE);
        const last = parts.at(-1)!;
        // What may be the beginning of the next status line is kept until the rest of it comes.
        rest = last.slice(-STATUS_LINE.length - 4);
        const answered = parts.length - 1;
        const refused = parts.slice(1).find((part) => part.length >= 3 && !part.startsWith("202"));
        if (refused !== undefined) return socket.destroy(new Error(`a submit was answered with ${refused.slice(0, 300)}`));
        open -= answered;
        if (answered > 0) send(answered);
      });
    });
  const start = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  return (performance.now() - start) / 1000;
}

const STATUS_LINE = "HTTP/1.1 ";
