import { FlowRunError } from "@flow-run/spec";
import {
  type Bundle,
  type CompiledSchedule,
  type CompiledStep,
  hashBundle,
  isTimezone,
  LANGUAGE_VERSION,
  readCron,
} from "../compile/index.ts";
import { bundleSchema } from "./bundle-schema.ts";

const SHOWN_ISSUES = 5;

/**
 * What was sent as a bundle, as a bundle: whole (its hash is right), of a language this server speaks, of the right shape and without references into the
 * void. Throws `FlowRunError` `invalid-bundle`.
 */
export function readBundle(sent: Record<string, unknown>): Bundle {
  const version = sent.languageVersion;
  if (typeof version === "number" && Number.isInteger(version) && version > LANGUAGE_VERSION) {
    throw invalid(
      `The bundle is written in language version ${version}, this server speaks ${LANGUAGE_VERSION}. Update the server, or deploy with an older flow-run.`,
    );
  }
  const read = bundleSchema.safeParse(sent);
  if (!read.success) {
    const issues = read.error.issues.slice(0, SHOWN_ISSUES).map((issue) => `${issue.path.join(".") || "the bundle"}: ${issue.message}`);
    throw invalid(`The bundle does not have the shape of one (${issues.join("; ")}). Deploy with the flow-run of this server's version.`);
  }
  if (read.data.languageVersion !== LANGUAGE_VERSION) {
    throw invalid(`The bundle is written in language version ${read.data.languageVersion}, which never existed.`);
  }
  if (hashBundle(sent as unknown as Bundle) !== sent.hash) {
    throw invalid("The bundle is not what its hash says: it was changed on the way or after compiling. Compile and deploy again.");
  }
  const bundle = sent as unknown as Bundle;
  checkReferences(bundle);
  return bundle;
}

function checkReferences(bundle: Bundle): void {
  for (const [name, flow] of Object.entries(bundle.flows)) {
    if (flow.name !== name) throw invalid(`The flow under "${name}" calls itself "${flow.name}".`);
    if (flow.kind !== "workflow") continue;
    for (const callee of calledFlows(flow.steps)) requireFlow(bundle, name, callee);
    if (flow.schedule !== undefined) checkSchedule(name, flow.schedule);
  }
  const models = [
    ...Object.values(bundle.models),
    ...Object.values(bundle.environments).flatMap((environment) => Object.values(environment.models)),
  ];
  for (const target of models.flatMap((model) => model.targets)) {
    if (!Object.hasOwn(bundle.providers, target.provider))
      throw invalid(`A model uses the provider "${target.provider}", which the bundle does not have.`);
  }
}

/** Also of a time zone that the compiling machine knew and this one does not. */
function checkSchedule(name: string, { cron, timezone }: CompiledSchedule): void {
  const reading = readCron(cron);
  if ("problem" in reading) throw invalid(`The schedule of "${name}" cannot be kept. ${reading.problem}`);
  if (!isTimezone(timezone)) throw invalid(`The schedule of "${name}" is in the time zone "${timezone}", which this server does not know.`);
}

function requireFlow(bundle: Bundle, caller: string, callee: string): void {
  if (!Object.hasOwn(bundle.flows, callee)) throw invalid(`The flow "${caller}" runs "${callee}", which the bundle does not have.`);
}

/** Names of the flows that steps run, their rescues included. */
function calledFlows(steps: readonly CompiledStep[]): string[] {
  return steps.flatMap((step) => {
    if (step.kind === "parallel") return calledFlows(step.steps);
    const rescue = typeof step.onError === "object" ? [step.onError.run] : [];
    return step.kind === "run" ? [step.flow, ...rescue] : rescue;
  });
}

function invalid(message: string): FlowRunError {
  return new FlowRunError("invalid-bundle", message);
}
