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
    case "run-not-found":
      return `Those it has: flow-run runs list --env ${environment}`;
    case "key-not-found":
      return `Those it has: flow-run keys list --env ${environment}`;
    default:
      return undefined;
  }
}

/** The client with each error's message followed by what to do on the command line. */
function advised(client: Client, adviceOf: (error: ApiError) => string | undefined): Client {
  const advise = (error: unknown): never => {
    if (error instanceof ApiError) error.message = [said(error), adviceOf(error)].filter(Boolean).join("\n");
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

/** What happened and each mistake; the title of a problem says no more than its detail. */
function said({ message, problem }: ApiError): string {
  if (problem === undefined) return message;
  const mistakes = (problem.errors ?? []).map(({ pointer, parameter, detail }) => {
    const place = pointer ?? parameter;
    return `\n  ${place ? `${place}: ` : ""}${detail}`;
  });
  return problem.detail + mistakes.join("");
}

async function* advisedEvents(events: AsyncIterable<unknown>, advise: (error: unknown) => never): AsyncGenerator<unknown> {
  try {
    yield* events;
  } catch (error) {
    advise(error);
  }
}
