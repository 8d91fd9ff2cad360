// Requests to addresses that authors and callers write: http steps and webhooks. Everything leaves through one filter, so that nobody reaches
// the operator's own network from a workflow. Vendors of models are not asked through here: their addresses are the operator's settings.
export { checkUrl } from "./check-request.ts";
export { type AddressClass, classifyAddress } from "./classify-address.ts";
export {
  createOutbound,
  type NetworkPermission,
  type Outbound,
  type OutboundAnswer,
  type OutboundOptions,
  type OutboundRequest,
} from "./create-outbound.ts";
export { OutboundError, type OutboundErrorCode } from "./outbound-error.ts";
export { permissionFrom } from "./permission-from.ts";
