import { FlowRunError } from "@flow-run/spec";
import type { NetworkPermission } from "./network-permission.ts";

/** Reads FLOW_RUN_ALLOW_PRIVATE_NETWORK: `1` allows private networks, `0` refuses them and this machine; unset: `otherwise`. */
export function permissionFrom(setting: string | undefined, otherwise: NetworkPermission): NetworkPermission {
  if (setting === undefined || setting === "") return otherwise;
  if (setting === "1") return true;
  if (setting === "0") return false;
  throw new FlowRunError("bad-setting", `FLOW_RUN_ALLOW_PRIVATE_NETWORK=${setting}: write 1 or 0.`);
}
