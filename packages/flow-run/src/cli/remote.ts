import type { Client } from "@flow-run/client";
import { ApiError, createClient } from "@flow-run/client";
import { CommandError } from "./command-error.ts";
import { among } from "./environment-of.ts";

/**
 * A client for an environment's server: FLOW_RUN_URL, so that a pipeline can point elsewhere, else the environment's `url` in flow-run.yaml; with
 * the key in FLOW_RUN_API_KEY. Its errors say what the command line can do about them.
 */
export async function connect(environment: string, projectFolder: string | undefined): Promise<Client> {
  const url = process.env.FLOW_RUN_URL || (await urlInProject(environment, projectFolder));
  const apiKey = process.env.FLOW_RUN_API_KEY || undefined;
  return advised(createClient({ url, apiKey, environment }), (error) => adviceFor(error, environment, apiKey !== undefined));
}

async function urlInProject(environment: string, folder: string | undefined): Promise<string> {
  const { findProjectRoot, readProjectFile } = await import("../project/index.ts");
  const root = await findProjectRoot(folder ?? process.cwd());
  if (root === null) {
    throw new CommandError(
      "Where is the server? Set FLOW_RUN_URL, or name a project whose flow-run.yaml has environments with a url: --project DIR.",
      { code: "no-server" },
    );
  }
  const project = await readProjectFile(root);
  if (project === null) {
    throw new CommandError(`${root}/flow-run.yaml has mistakes; \`flow-run validate\` shows them. Or set FLOW_RUN_URL.`, {
      code: "invalid-project",
    });
  }
  const environments = project.environments ?? {};
  const known = Object.hasOwn(environments, environment);
  const url = known ? environments[environment]?.url : undefined;
  if (url !== undefined) return url;
  throw new CommandError(
    known
      ? `The environment ${environment} has no url. Set environments.${environment}.url in flow-run.yaml, or FLOW_RUN_URL.`
      : `The project has no environment "${environment}". ${among(environment, Object.keys(environments))}`,
    { code: known ? "no-server" : "unknown-environment" },
  );
}

function adviceFor(error: ApiError, environment: string, hasKey: boolean): string | undefined {
  switch (error.code) {
    case "unauthorized":
      return hasKey
        ? "The key in FLOW_RUN_API_KEY is not valid here: it is of another server, or it was revoked."
        : `Put a key of ${environment} into FLOW_RUN_API_KEY; \`flow-run keys create\` makes one, with the admin key.`;
    case "insufficient-scope":
      return "Take a key with that scope: flow-run keys create NAME --scope SCOPE";
    case "environment-mismatch":
      return `FLOW_RUN_API_KEY holds a key of another environment than ${environment}: name that with --env, or take a key of ${environment}.`;
    case "not-cancellable":
      return "See how it ended: flow-run runs show RUN";
    default:
      return undefined;
  }
}

/** The client with each error's message followed by what to do on the command line. */
function advised(client: Client, adviceOf: (error: ApiError) => string | undefined): Client {
  const advise = (error: unknown): never => {
    const advice = error instanceof ApiError ? adviceOf(error) : undefined;
    if (advice !== undefined) (error as ApiError).message += `\n${advice}`;
    throw error;
  };
  return new Proxy(client, {
    get(target, name, receiver) {
      const method = Reflect.get(target, name, receiver) as ((...args: unknown[]) => unknown) | undefined;
      // A promise that resolves to the client asks it for `then`.
      if (method === undefined) return undefined;
      return (...args: unknown[]) => {
        const answer = method.apply(target, args);
        return answer instanceof Promise ? answer.catch(advise) : advisedEvents(answer as AsyncIterable<unknown>, advise);
      };
    },
  });
}

async function* advisedEvents(events: AsyncIterable<unknown>, advise: (error: unknown) => never): AsyncGenerator<unknown> {
  try {
    yield* events;
  } catch (error) {
    advise(error);
  }
}
