import { suggest } from "@flow-run/spec";
import type { Bundle, CompiledFlow } from "../compile/index.ts";
import { CommandError } from "./command-error.ts";

const MOST_NAMES = 12;

/** The flow of that name, or an error that suggests one, of `kind` when only that kind can be meant. */
export function findFlow(bundle: Bundle, name: string, kind?: CompiledFlow["kind"]): CompiledFlow {
  if (Object.hasOwn(bundle.flows, name)) return bundle.flows[name]!;
  const names = Object.keys(bundle.flows).filter((flow) => kind === undefined || bundle.flows[flow]!.kind === kind);
  const noun = kind === "task" ? "prompt" : "flow";
  throw new CommandError(`There is no ${noun} "${name}". ${whichOf(name, names, noun)}`, { code: "unknown-flow" });
}

function whichOf(name: string, names: string[], noun: string): string {
  const near = suggest(name, names);
  if (near) return `Did you mean "${near}"?`;
  if (names.length === 0) return "The project has none yet.";
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  return `The project's ${noun}s: ${names.slice(0, MOST_NAMES).join(", ")}${more}.`;
}
