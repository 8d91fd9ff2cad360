import type { Webhooks } from "../webhooks/index.ts";
import { RequestRefusal } from "./request-refusal.ts";
import type { ServerContext } from "./server-context.ts";

/** The server's webhooks. Throws `webhooks-not-configured` where there are none. */
export function webhooksOf({ webhooks }: ServerContext): Webhooks {
  if (webhooks === null) throw new RequestRefusal("webhooks-not-configured", "This server has no webhooks.");
  return webhooks;
}
