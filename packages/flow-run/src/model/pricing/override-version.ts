import { createHash } from "node:crypto";
import type { PriceOverride } from "./price-question.ts";

/** Names prices by what they are, so that a changed price has another version. A release's override is one object: its name is made once. */
export class OverrideVersions {
  private readonly known = new WeakMap<PriceOverride, string>();

  of(override: PriceOverride): string {
    let version = this.known.get(override);
    if (version === undefined) {
      version = overrideVersion(override);
      this.known.set(override, version);
    }
    return version;
  }
}

function overrideVersion({ input, output, cacheRead, cacheWrite, reasoning }: PriceOverride): string {
  const canonical = JSON.stringify([input, output, cacheRead ?? null, cacheWrite ?? null, reasoning ?? null]);
  return `override:${createHash("sha256").update(canonical).digest("hex").slice(0, 12)}`;
}
