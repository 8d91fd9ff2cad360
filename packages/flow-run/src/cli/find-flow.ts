import { suggest } from "@flow-run/spec";
import type { Bundle } from "../compile/index.ts";
import { CommandError } from "./command-error.ts";

/** The flow of that name, or an error that suggests one. */
export function findFlow(bundle: Bundle, name: string): Bundle["flows"][string] {
  if (Object.hasOwn(bundle.flows, name)) return bundle.flows[name]!;
  const names = Object.keys(bundle.flows);
  const near = suggest(name, names);
  throw new CommandError(`There is no flow "${name}".${near ? ` Did you mean "${near}"?` : ""} Flows: ${names.join(", ") || "none yet"}.`, { code: "unknown-flow" });
}
