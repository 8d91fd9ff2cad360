import { type Diagnostic, durationMs, type EnvironmentDefinition, type ProjectSource } from "@flow-run/spec";
import type { CompiledEnvironment } from "./bundle.ts";
import { diagnosticAt } from "./diagnostic-at.ts";

type Retention = NonNullable<CompiledEnvironment["retention"]>;

/** Less than this nobody could read. */
const SHORTEST_MS = 1_000;

/** How long each environment keeps what its runs leave behind. */
export function environmentRetention({ project }: ProjectSource): { retention: Map<string, Retention>; diagnostics: Diagnostic[] } {
  const retention = new Map<string, Retention>();
  const diagnostics: Diagnostic[] = [];
  for (const [name, { retention: written }] of Object.entries(project.value.environments ?? {})) {
    if (written === undefined) continue;
    const wrong = (key: keyof typeof written, message: string, hint: string) =>
      diagnostics.push(
        diagnosticAt({ source: project.source, path: ["environments", name, "retention", key] }, "error", "out-of-range", message, hint),
      );
    const compiled = compileRetention(written);
    retention.set(name, compiled);
    for (const key of ["runs", "contents", "deliveries"] as const) {
      if ((compiled[`${key}Ms`] ?? SHORTEST_MS) < SHORTEST_MS)
        wrong(key, `${key} would be gone before anybody could read them`, "write at least 1s; leave it out to keep them for good");
    }
    const { runsMs, contentsMs } = compiled;
    if (runsMs !== undefined && contentsMs !== undefined && contentsMs > runsMs) {
      const hint = `contents go with their run at the latest: write at most ${written.runs}, or leave it out`;
      wrong("contents", `contents are to be kept for ${written.contents}, but runs only for ${written.runs}`, hint);
    }
  }
  return { retention, diagnostics };
}

function compileRetention({ runs, contents, deliveries }: NonNullable<EnvironmentDefinition["retention"]>): Retention {
  return {
    ...(runs === undefined ? {} : { runsMs: durationMs(runs) }),
    ...(contents === undefined ? {} : { contentsMs: durationMs(contents) }),
    ...(deliveries === undefined ? {} : { deliveriesMs: durationMs(deliveries) }),
  };
}
