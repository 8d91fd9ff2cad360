import { type DeployResult, FlowRunError, type JsonObject } from "@flow-run/spec";
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
  /** Default false: a release whose flows need secrets that are not there is refused. */
  allowMissingSecrets?: boolean;
}

/**
 * Makes a bundle the current release of an environment. Throws `FlowRunError` with code `invalid-bundle`, `missing-secrets` (named in `details.secrets`) or
 * `stale-plan`.
 */
export async function deployBundle(
  store: Pick<Store, "deploy">,
  secrets: (name: string) => string | undefined,
  deployment: Deployment,
): Promise<DeployResult> {
  const { environment } = deployment;
  const bundle = readBundle(deployment.bundle);
  const missing = missingSecrets(bundle, environment, secrets);
  if (missing.length > 0 && !deployment.allowMissingSecrets) {
    throw new FlowRunError(
      "missing-secrets",
      `The server does not have ${missing.join(", ")}, which flows of this release need in "${environment}": set ${missing.length === 1 ? "it" : "them"} in the server's environment and start it again, or deploy with missing secrets allowed.`,
      { details: { secrets: missing } },
    );
  }
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
