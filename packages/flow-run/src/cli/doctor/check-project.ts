import { FlowRunError, hasErrors } from "@flow-run/spec";
import type { Bundle } from "../../compile/index.ts";
import { loadProject } from "../load-project.ts";
import { count, countView } from "../views/diagnostics.ts";
import type { Check, DoctorOptions } from "./check.ts";

/** Whether there is a project without mistakes. `bundle` is null when there is none. */
export async function checkProject(options: DoctorOptions): Promise<{ check: Check; bundle: Bundle | null }> {
  const name = "project";
  try {
    const { root, bundle, diagnostics } = await loadProject(options.project);
    const mistakes = diagnostics.length > 0 ? `${countView(diagnostics)}; flow-run validate shows them` : "";
    if (bundle === null || hasErrors(diagnostics))
      return { check: { name, status: "failed", detail: `${root} has ${mistakes}` }, bundle: null };
    const flows = `${bundle.project}, ${count(Object.keys(bundle.flows).length, "flow")}`;
    return { check: { name, status: mistakes ? "warning" : "ok", detail: [flows, mistakes].filter(Boolean).join(", ") }, bundle };
  } catch (error) {
    if (!FlowRunError.isInstance(error)) throw error;
    return { check: { name, status: "failed", detail: error.message }, bundle: null };
  }
}
