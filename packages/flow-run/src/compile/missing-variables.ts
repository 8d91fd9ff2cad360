import type { Diagnostic, ProjectSource } from "@flow-run/spec";
import { diagnosticAt, nameHint } from "./diagnostic-at.ts";

/** Names that workflows read as `vars.NAME` and an environment does not set: a run there would fail. */
export function missingVariables(variables: readonly string[], { source, value }: ProjectSource["project"]): Diagnostic[] {
  return Object.entries(value.environments ?? {}).flatMap(([environment, { vars }]) =>
    variables
      .filter((name) => !Object.hasOwn(vars ?? {}, name))
      .map((name) => {
        const near = nameHint(name, Object.keys(vars ?? {}), `add it: vars: { ${name}: … }`);
        const at = { source, path: ["environments", environment, "vars"], at: "key" as const };
        return diagnosticAt(at, "warning", "missing-variable", `workflows read vars.${name}, which ${environment} does not set`, near);
      }),
  );
}
