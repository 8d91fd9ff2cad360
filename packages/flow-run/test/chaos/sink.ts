import http from "node:http";
import type { AddressInfo } from "node:net";
import { seededRandom } from "../../src/model/simulator/seeded-random.ts";

/** A request that arrived: a message about a run's end (`/hook`) or one of an http step (`/note`). */
export interface Arrival {
  atMs: number;
  path: string;
  /** `webhook-id` or `Idempotency-Key`. */
  id: string;
  headers: Record<string, string>;
  body: string;
  /** What was done with it. */
  treatment: Treatment;
}

type Treatment = "taken" | "refused" | "dropped" | "hung";

/** Of first arrivals. Every further one of the same id is taken. */
const SHARES: [Treatment, number][] = [
  ["refused", 0.08],
  ["dropped", 0.04],
  ["hung", 0.02],
];
const HANGS_MS = 4_000;

export interface Sink {
  url: string;
  arrivals: Arrival[];
  close(): Promise<void>;
}

/** The other side of webhooks and http steps, which is not always well either. What happens to a message is drawn from the seed and what it is about. */
export async function startSink(host: string, seed: string): Promise<Sink> {
  const arrivals: Arrival[] = [];
  const known = new Set<string>();
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the sender died while it sent
    }
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const id = headers["webhook-id"] ?? headers["idempotency-key"] ?? "";
    const body = Buffer.concat(chunks).toString("utf8");
    const treatment = known.has(id) ? "taken" : treat(`${seed} ${subjectOf(body)}`);
    known.add(id);
    arrivals.push({ atMs: Date.now(), path: request.url ?? "", id, headers, body, treatment });
    if (treatment === "taken") response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ taken: id }));
    else if (treatment === "refused") response.writeHead(500).end("not now");
    else if (treatment === "dropped") response.destroy();
    else setTimeout(() => response.destroy(), HANGS_MS).unref();
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    arrivals,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function treat(seed: string): Treatment {
  let drawn = seededRandom(seed).next();
  for (const [treatment, share] of SHARES) {
    drawn -= share;
    if (drawn < 0) return treatment;
  }
  return "taken";
}

/** What stays the same when a seed is repeated: the run's tag, or the text that was sent. */
function subjectOf(body: string): string {
  const message = JSON.parse(body) as { data?: { tags: string[] }; about?: string };
  return message.data?.tags[0] ?? message.about ?? "";
}
