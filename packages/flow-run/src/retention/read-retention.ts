import type { JsonObject } from "@flow-run/spec";

/** Milliseconds after the end; what is absent is kept for good. */
export interface Retention {
  runsMs?: number;
  contentsMs?: number;
  deliveriesMs?: number;
}

/** What a deployed bundle, which was checked when it came, says of an environment. */
export function readRetention(bundle: JsonObject | null, environment: string): Retention {
  const environments = (bundle?.environments ?? {}) as Record<string, { retention?: Retention }>;
  return Object.hasOwn(environments, environment) ? (environments[environment]!.retention ?? {}) : {};
}
