import type { Diagnostic } from "@flow-run/spec";
import type { ParsedPartial } from "./check-template.ts";
import type { PartialReference } from "./partial-references.ts";

/** Partials that include themselves, directly or through others: one diagnostic for each, where the circle closes. */
export function partialCycles(
  partials: ReadonlyMap<string, ParsedPartial>,
  references: ReadonlyMap<string, readonly PartialReference[]>,
): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const finished = new Set<string>();
  const visit = (name: string, stack: readonly string[]): void => {
    for (const reference of references.get(name) ?? []) {
      const next = reference.name;
      if (next === null || !references.has(next) || finished.has(next)) continue;
      const inside = [...stack, name];
      const start = inside.indexOf(next);
      if (start === -1) {
        visit(next, inside);
        continue;
      }
      const circle = [...inside.slice(start), next].join(" → ");
      const { template } = partials.get(name)!;
      const hint = "a partial cannot include itself: repeat with {{#each}} what repeats";
      diagnostics.push(template.diagnostic("error", "cycle", reference.loc, `partials include each other in a circle: ${circle}`, hint));
    }
    finished.add(name);
  };
  for (const name of [...references.keys()].sort()) if (!finished.has(name)) visit(name, []);
  return diagnostics;
}
