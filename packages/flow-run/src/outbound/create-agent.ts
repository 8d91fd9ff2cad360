import type { Agent } from "undici";
import { guardedLookup, type ResolveName } from "./guarded-lookup.ts";
import { checkAddress, type NetworkPermission } from "./network-permission.ts";

/** Sockets that reach only what is permitted: the name's addresses are checked before one is dialled, and the address that answered once more. */
export async function createAgent(options: {
  allowPrivateNetwork: NetworkPermission;
  resolve: ResolveName;
  connectTimeoutMs?: number;
  ca?: string;
}): Promise<Agent> {
  const { Agent, buildConnector } = await import("undici");
  const { allowPrivateNetwork, resolve, connectTimeoutMs = 10_000, ca } = options;
  const dial = buildConnector({
    timeout: connectTimeoutMs,
    lookup: guardedLookup(resolve, allowPrivateNetwork),
    ...(ca === undefined ? {} : { ca }),
  });
  return new Agent({
    // The whole exchange has one deadline, which its caller sets.
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1,
    connect(target, callback) {
      dial(target, (...result) => {
        const [error, socket] = result;
        if (error !== null) return callback(error, null);
        try {
          // A socket that has closed again has no address, and no use.
          if (socket.remoteAddress !== undefined) checkAddress(socket.remoteAddress, target.hostname, allowPrivateNetwork);
        } catch (refused) {
          socket.destroy();
          return callback(refused as Error, null);
        }
        callback(null, socket);
      });
    },
  });
}
