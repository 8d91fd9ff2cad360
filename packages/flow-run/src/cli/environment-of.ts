import { suggest } from "@flow-run/spec";
import type { Bundle } from "../compile/index.ts";
import { CommandError } from "./command-error.ts";

/** The environment whose models are meant; `local` when none is named. Throws CommandError for one that the project does not have. */
export function environmentOf(bundle: Bundle, name: string | undefined): string {
  if (name === undefined) return "local";
  if (Object.hasOwn(bundle.environments, name)) return name;
  throw new CommandError(`The project has no environment "${name}". ${among(name, Object.keys(bundle.environments))}`, {
    code: "unknown-environment",
  });
}

/** `Did you mean "prod"?`, else the names to choose from. */
export function among(name: string, names: readonly string[]): string {
  const near = suggest(name, names);
  if (near) return `Did you mean "${near}"?`;
  return names.length > 0 ? `It has ${names.join(", ")}.` : "Add it under environments in flow-run.yaml.";
}
