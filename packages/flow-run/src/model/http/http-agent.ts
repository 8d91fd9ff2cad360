import type { Dispatcher } from "undici";

export interface HttpAgentOptions {
  /** Sockets to one origin at most. Default: as many as there are requests; a model's `limits` are the place to bound them. */
  connectionsPerOrigin?: number;
  /** Default 10,000. */
  connectTimeoutMs?: number;
  /** Idle sockets are kept this long, or as long as the server says. Default 30,000. */
  keepAliveMs?: number;
  /** Certificate authorities to trust besides the system's (PEM). */
  ca?: string;
}

/**
 * The sockets that all providers of one process share. Whoever creates it closes it (`close()` lets requests finish, `destroy()` does not).
 * undici is loaded here and not earlier, so that commands which ask no model start fast.
 */
export async function createHttpAgent(options: HttpAgentOptions = {}): Promise<Dispatcher> {
  const { Agent } = await import("undici");
  return new Agent({
    connections: options.connectionsPerOrigin ?? null,
    pipelining: 1,
    keepAliveTimeout: options.keepAliveMs ?? 30_000,
    // Each attempt has a timeout of its own, and a stream an idle timeout; undici's 300 s would cut long answers behind their back.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: options.connectTimeoutMs ?? 10_000, ...(options.ca === undefined ? {} : { ca: options.ca }) },
  });
}
