import type { Diagnostic, ProjectSource } from "@flow-run/spec";
import type { CompiledEnvironment } from "./bundle.ts";
import { diagnosticAt, nameHint } from "./diagnostic-at.ts";
import type { FlowNames } from "./flow-names.ts";

/** How many runs each environment lets be under way at once; a name that is no flow is an error. */
export function environmentLimits(
  { project }: ProjectSource,
  flows: FlowNames,
): { limits: Map<string, NonNullable<CompiledEnvironment["limits"]>>; diagnostics: Diagnostic[] } {
  const limits = new Map<string, NonNullable<CompiledEnvironment["limits"]>>();
  const diagnostics: Diagnostic[] = [];
  for (const [name, environment] of Object.entries(project.value.environments ?? {})) {
    if (environment.limits === undefined) continue;
    const { concurrency, flows: ofFlows = {} } = environment.limits;
    limits.set(name, { ...(concurrency === undefined ? {} : { concurrency }), flows: { ...ofFlows } });
    for (const flow of Object.keys(ofFlows)) {
      if (flows.all.has(flow)) continue;
      const place = { source: project.source, path: ["environments", name, "limits", "flows", flow], at: "key" } as const;
      const hint = nameHint(flow, flows.all, "write prompts/NAME.prompt or flows/NAME.yaml");
      diagnostics.push(diagnosticAt(place, "error", "unknown-flow", `there is no flow "${flow}" whose runs ${name} could limit`, hint));
    }
  }
  return { limits, diagnostics };
}
