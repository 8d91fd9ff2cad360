import { classifyAddress } from "./classify-address.ts";
import { OutboundError } from "./outbound-error.ts";

/** Beyond the internet: nothing (`false`), this machine (`"loopback"`), or also private networks (`true`). */
export type NetworkPermission = boolean | "loopback";

/** Throws OutboundError `address-not-allowed` for an address that must not be dialled. `host` is what the author wrote. */
export function checkAddress(address: string, host: string, permission: NetworkPermission): void {
  const kind = classifyAddress(address);
  if (kind === "public") return;
  if (kind === "loopback" && permission !== false) return;
  if (kind === "private" && permission === true) return;
  const what = address === host ? host : `${host} (${address})`;
  throw new OutboundError(
    "address-not-allowed",
    kind === "never"
      ? `${what} is an address that no request may go to.`
      : `${what} is ${kind === "loopback" ? "this machine itself" : "in a private network"}. Requests go to the internet alone, unless the operator sets FLOW_RUN_ALLOW_PRIVATE_NETWORK=1.`,
  );
}
