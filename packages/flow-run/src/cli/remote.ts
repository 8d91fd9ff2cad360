import { createClient } from "@flow-run/client";
import { CommandError } from "./command-error.ts";

/**
 * A client for an environment's server: its `url` in flow-run.yaml, else FLOW_RUN_URL, with the key in FLOW_RUN_API_KEY.
 * FLOW_RUN_URL wins when both are given, so that a pipeline can point elsewhere.
 */
export async function connect(environment: string, projectFolder: string | undefined): Promise<ReturnType<typeof createClient>> {
  const url = process.env.FLOW_RUN_URL || (await urlInProject(environment, projectFolder));
  if (!url) {
    throw new CommandError(`Where is the server of ${environment}? Set environments.${environment}.url in flow-run.yaml, or FLOW_RUN_URL.`, {
      code: "no-server",
    });
  }
  return createClient({ url, apiKey: process.env.FLOW_RUN_API_KEY || undefined, environment });
}

async function urlInProject(environment: string, folder: string | undefined): Promise<string | undefined> {
  const { findProjectRoot, readProjectFile } = await import("../project/index.ts");
  const root = await findProjectRoot(folder ?? process.cwd());
  if (root === null) return undefined;
  const project = await readProjectFile(root);
  return project?.environments?.[environment]?.url;
}
