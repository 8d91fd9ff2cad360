import type { DeployResult, JsonObject } from "@flow-run/spec";
import type { Store } from "../store/index.ts";
import { missingSecrets } from "./missing-secrets.ts";
import { readBundle } from "./read-bundle.ts";

export interface Deployment {
  environment: string;
  /** As it was sent; trusted for nothing. */
  bundle: Record<string, unknown>;
  author: string | null;
  message: string | null;
  commit: string | null;
  /** The release that must be current, null: none may be, undefined: any. */
  expectedCurrent?: number | null;
}

/**
 * Makes a bundle the current release of an environment. Throws `FlowRunError` with code `invalid-bundle` or `stale-plan`. Missing secrets are
 * named and no reason to refuse: a server that only accepts runs needs none, and a secret may come after the release.
 */
export async function deployBundle(
  store: Pick<Store, "deploy">,
  secrets: (name: string) => string | undefined,
  deployment: Deployment,
): Promise<DeployResult> {
  const { environment } = deployment;
  const bundle = readBundle(deployment.bundle);
  const missing = missingSecrets(bundle, environment, secrets);
  const { release, previous, changed } = await store.deploy({
    environment,
    bundle: deployment.bundle as JsonObject,
    hash: bundle.hash,
    author: deployment.author,
    message: deployment.message,
    commit: deployment.commit,
    expectedCurrent: deployment.expectedCurrent,
  });
  return { environment, release: release.number, previousRelease: previous, changed, hash: release.hash, missingSecrets: missing };
}
