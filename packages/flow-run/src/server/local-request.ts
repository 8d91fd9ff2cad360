import type { IncomingMessage } from "node:http";
import { RequestRefusal } from "./request-refusal.ts";

const LOCAL_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/** Whether the caller sits on this machine, with no proxy in between. */
export function isLocal(request: IncomingMessage): boolean {
  const address = request.socket.remoteAddress ?? "";
  const loopback = address === "::1" || address.startsWith("127.") || address.startsWith("::ffff:127.");
  return loopback && !PROXY_HEADERS.some((name) => request.headers[name] !== undefined);
}

/**
 * Refuses what a foreign web page makes a browser on this machine send: under a name of its own that resolves to 127.0.0.1 (DNS rebinding), or across
 * origins. Needed where being on this machine is all the proof that is asked for.
 */
export function refuseForeignSite(request: IncomingMessage): void {
  const host = request.headers.host ?? "";
  if (!LOCAL_NAMES.has(nameOf(host))) {
    throw new RequestRefusal("foreign-origin", "Call this server as localhost, 127.0.0.1 or [::1], or send a key.");
  }
  const origin = request.headers.origin;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    throw new RequestRefusal("foreign-origin", "Pages of other sites may not call this server without a key.");
  }
}

function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d{1,5}$/, "");
}
