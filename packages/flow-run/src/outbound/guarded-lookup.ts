import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import { checkAddress, type NetworkPermission } from "./network-permission.ts";

/** Asks the name service once for all addresses of a name. */
export type ResolveName = (hostname: string) => Promise<LookupAddress[]>;

/**
 * The lookup of a socket: what it hands over has been checked and is what is dialled, so that a name that answers differently the second time gains nothing.
 * One forbidden address among several refuses them all.
 */
export function guardedLookup(resolve: ResolveName, permission: NetworkPermission): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        try {
          for (const { address } of addresses) checkAddress(address, hostname, permission);
        } catch (error) {
          return callback(error as Error, "");
        }
        const [first] = addresses;
        if (first === undefined) return callback(Object.assign(new Error("no address"), { code: "ENOTFOUND" }), "");
        if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: Error) => callback(error, ""),
    );
  };
}
