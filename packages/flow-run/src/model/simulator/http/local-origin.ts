const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/;

/** Whether a server that listens on this host may only be asked under the names of this machine. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** False when a web page of another site asks, by its origin or by a name of its own that leads here. */
export function isLocalRequest(host: string | undefined, origin: string | undefined): boolean {
  if (host !== undefined && !LOOPBACK.test(host)) return false;
  return origin === undefined || LOOPBACK.test(origin.replace(/^https?:\/\//, ""));
}
