import { type AcceptedRun, FlowRunError, type Json, type Run, suggest } from "@flow-run/spec";
import type { CompiledFlow } from "../compile/index.ts";
import type { NewRun, Replay } from "../store/index.ts";
import type { LoadedRelease } from "./loaded-releases.ts";
import type { Principal } from "./principal.ts";
import { RequestRefusal } from "./request-refusal.ts";
import type { ServerContext } from "./server-context.ts";
import { webhooksOf } from "./webhooks-of.ts";

export interface Submission {
  flow: string;
  input: Json;
  /** null: the environment's current release. */
  release: number | null;
  tags: string[];
  priority: number;
  idempotencyKey: string | null;
  fingerprint: string;
  webhook?: { url: string; includeOutput: boolean };
  /** Somebody will read the text of the run as it is written. */
  stream?: boolean;
  /** Of a run that replays another. */
  replay?: {
    /** The input is the other run's, not the caller's. */
    inheritsInput: boolean;
    /** What is taken over, once the release is known. Throws RequestRefusal. */
    plan(release: LoadedRelease): Promise<Omit<Replay, "run">>;
  };
}

/** What the release that a submission is pinned to says about it. */
interface Checked {
  flow: CompiledFlow;
  release: number;
  input: Json;
  /** With the URL as it is stored. */
  webhook: Submission["webhook"];
  replay: Omit<Replay, "run"> | undefined;
}

/** Checks a submission against the release it will be pinned to and commits it. Resolves when the run can no longer be lost. */
export async function submitRun(
  context: ServerContext,
  principal: Principal,
  submission: Submission,
): Promise<{ run: AcceptedRun; replayed: boolean }> {
  const { environment } = principal;
  let checked: Checked;
  try {
    checked = await check(context, environment, submission);
  } catch (refusal) {
    // A release since then may refuse what was accepted; a repetition is still answered with the run that it began.
    const earlier = await findEarlier(context, environment, submission, refusal);
    if (earlier === null) throw refusal;
    return { run: asAccepted(earlier), replayed: true };
  }
  const { flow, release, input, webhook, replay } = checked;
  // So that a run whose end could not be signed is not accepted.
  if (webhook !== undefined) await webhooksOf(context).prepare(environment);
  const id = context.newRunId();
  // Known to whoever executes the run before there is one, so that its first answer is streamed.
  if (submission.stream) await context.streams.expectReader(id);
  const newRun: NewRun = {
    id,
    environment,
    flow: flow.name,
    kind: flow.kind,
    release,
    input,
    tags: submission.tags,
    priority: submission.priority,
    idempotencyKey: submission.idempotencyKey,
    fingerprint: submission.fingerprint,
    ...(webhook === undefined ? {} : { webhook }),
  };
  const { run, replayed } = await (replay === undefined
    ? context.store.submitRun(newRun)
    : context.store.replays.submit({ run: newRun, ...replay }));
  if (!replayed) context.metrics.runAccepted(flow.name, environment);
  return { run: asAccepted(run), replayed };
}

/** The state at acceptance, so that a request that is sent twice is answered twice with the same. */
function asAccepted({ id, flow, kind, environment, release, createdAt }: Run): AcceptedRun {
  return { id, flow, kind, environment, release, status: "queued", createdAt };
}

async function check(context: ServerContext, environment: string, submission: Submission): Promise<Checked> {
  const release = await pinnedRelease(context, environment, submission);
  const flow = release.flow(submission.flow) ?? refuseUnknownFlow(release, submission.flow);
  const replay = await submission.replay?.plan(release);
  return {
    flow,
    release: release.number,
    input: acceptInput(context, flow, submission),
    webhook: submission.webhook && { ...submission.webhook, url: acceptWebhookUrl(context, submission.webhook.url) },
    replay,
  };
}

async function findEarlier(context: ServerContext, environment: string, submission: Submission, refusal: unknown): Promise<Run | null> {
  const { idempotencyKey, fingerprint } = submission;
  if (idempotencyKey === null || !(refusal instanceof RequestRefusal)) return null;
  return context.store.findSubmitted({ environment, idempotencyKey, fingerprint });
}

async function pinnedRelease(context: ServerContext, environment: string, submission: Submission): Promise<LoadedRelease> {
  const number = submission.release ?? (await context.store.currentRelease(environment));
  if (number === null) {
    throw new RequestRefusal(
      "flow-not-found",
      `Nothing has been deployed to the environment "${environment}" yet; \`flow-run deploy --env ${environment}\` makes its flows available.`,
    );
  }
  const release = await context.releases.get(environment, number);
  if (release === null) {
    throw new RequestRefusal(
      "release-not-found",
      `The environment "${environment}" has no release ${number}; leave \`release\` out to run on the current one.`,
    );
  }
  return release;
}

/** Throws `flow-not-found`, with the name that was probably meant. */
export function refuseUnknownFlow(release: LoadedRelease, name: string): never {
  const near = suggest(name, Object.keys(release.bundle.flows));
  throw new RequestRefusal(
    "flow-not-found",
    `Release ${release.number} has no flow ${JSON.stringify(name.slice(0, 64))}; ${near === undefined ? "GET /v1/flows lists those it has" : `did you mean "${near}"?`}`,
  );
}

function acceptInput(context: ServerContext, flow: CompiledFlow, { input, replay }: Submission): Json {
  if (flow.input === undefined) return input;
  const { value, errors } = context.validators.validate(flow.input, input, { defaults: true });
  if (errors.length === 0) return value;
  const listed = { errors: errors.map((error) => ({ detail: error.message, pointer: `/input${error.pointer}` })) };
  const schema = `the input schema of the flow "${flow.name}"`;
  if (!replay?.inheritsInput) {
    throw new RequestRefusal("invalid-input", `The input does not fit ${schema}; GET /v1/flows/${flow.name} shows it.`, listed);
  }
  const detail = `The input of the run that is to be replayed does not fit ${schema} in this release; give another \`input\`, or \`"release": "same"\`.`;
  throw new RequestRefusal("invalid-input", detail, listed);
}

function acceptWebhookUrl(context: ServerContext, url: string): string {
  try {
    return webhooksOf(context).checkUrl(url);
  } catch (error) {
    if (!FlowRunError.isInstance(error) || error.code !== "invalid-input") throw error;
    throw new RequestRefusal("invalid-input", `Nothing could be sent to the webhook: ${error.message}`, {
      errors: [{ detail: error.message, pointer: "/webhook" }],
    });
  }
}
