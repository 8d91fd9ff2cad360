import { FlowRunError } from "@flow-run/spec";
import { connect } from "../remote.ts";
import { count } from "../views/diagnostics.ts";
import type { Check } from "./check.ts";

/** Whether an environment's server can be reached, takes runs, and accepts the key. */
export async function checkServer(environment: string, folder: string | undefined): Promise<Check> {
  const name = `server of ${environment}`;
  try {
    const client = await connect(environment, folder);
    const flows = await client.flows();
    const { status, reasons } = await client.readiness();
    const found = `the key is accepted, ${count(flows.length, "flow")}`;
    if (status === "ready") return { name, status: "ok", detail: `takes runs, ${found}` };
    return { name, status: "warning", detail: `answers but takes no runs now (${reasons.join("; ")}); ${found}` };
  } catch (error) {
    if (!FlowRunError.isInstance(error)) throw error;
    return { name, status: "failed", detail: error.message.replaceAll("\n", " ") };
  }
}
