import type {
  AcceptedRun,
  ApiKey,
  ApiKeyList,
  CostGroup,
  CostQuery,
  CostReport,
  CreatedKey,
  CreateKey,
  DeployRequest,
  DeployResult,
  Feedback,
  FeedbackList,
  Flow,
  FlowList,
  GiveFeedback,
  Json,
  Readiness,
  Release,
  ReleaseDetail,
  ReleaseList,
  ReplayDeliveries,
  ReplayedDeliveries,
  ReplayRun,
  Run,
  RunCosts,
  RunEvent,
  RunFilterQuery,
  RunList,
  StartRun,
  Step,
  StepList,
  WebhookDelivery,
  WebhookDeliveryDetail,
  WebhookDeliveryList,
  WebhookFilterQuery,
  WebhookSecret,
} from "@flow-run/spec";
import { ApiError } from "./api-error.ts";
import { type FollowOptions, followRun } from "./follow-run.ts";
import { pause } from "./pause.ts";
import { readProblem } from "./read-answer.ts";
import { type ClientOptions, type Sent, Transport } from "./transport.ts";

const WAIT_SECONDS = 30;
/** Runs are not asked for more often than this. */
const SOONEST_MS = 200;

export interface CallOptions {
  signal?: AbortSignal;
}

/** All calls of a flow-run server. Every method throws `ApiError`. */
export interface Client {
  /**
   * Starts a flow; resolves when the run is committed. Is sent again when no answer comes: an Idempotency-Key, yours or one made for this call, keeps it
   * one run. Give your own to make repetitions across processes one run too.
   */
  startRun(flow: string, run?: StartRun & CallOptions & { idempotencyKey?: string }): Promise<AcceptedRun>;
  /** `wait`: seconds (up to 60) that the server holds the answer until the run has ended. */
  getRun(id: string, options?: CallOptions & { wait?: number }): Promise<Run>;
  /** The run once it has ended, also over restarts of the server. Throws `timeout` when it takes longer than `timeoutMs` (default: no limit). */
  waitForRun(id: string, options?: CallOptions & { timeoutMs?: number; unreachableMs?: number }): Promise<Run>;
  /** Newest first, a page at a time. */
  listRuns(filter?: RunFilterQuery & CallOptions): Promise<RunList>;
  steps(id: string, options?: CallOptions): Promise<Step[]>;
  /** The events of a run until it has ended, resumed when the connection is lost. */
  events(id: string, options?: FollowOptions): AsyncGenerator<RunEvent, void, undefined>;
  cancel(id: string, options?: CallOptions): Promise<Run>;
  /**
   * Starts a new run as this one was, or as the options say. With `from` it takes over what this one recorded before that step. Throws `not-replayable`
   * when it has not ended, `invalid-input` when there is no such step.
   */
  replay(id: string, options?: ReplayRun & CallOptions & { idempotencyKey?: string }): Promise<AcceptedRun>;
  /** Answers the oldest wait of that name. Throws `not-waiting` when there is none, `invalid-input` when the payload does not fit its schema. */
  signal(id: string, name: string, payload?: Json, options?: CallOptions): Promise<Run>;
  /** Says what the run, or one of its steps, is worth: `{ name: "correct", value: true }`. */
  giveFeedback(id: string, feedback: GiveFeedback & CallOptions & { idempotencyKey?: string }): Promise<Feedback>;
  /** The oldest first. */
  feedback(id: string, options?: CallOptions): Promise<Feedback[]>;
  flows(options?: CallOptions): Promise<Flow[]>;
  flow(name: string, options?: CallOptions): Promise<Flow>;
  releases(options?: CallOptions): Promise<Release[]>;
  release(number: number, options?: CallOptions): Promise<ReleaseDetail>;
  deploy(request: DeployRequest & CallOptions): Promise<DeployResult>;
  keys(options?: CallOptions): Promise<ApiKey[]>;
  createKey(key: CreateKey & CallOptions): Promise<CreatedKey>;
  revokeKey(id: string, options?: CallOptions): Promise<void>;
  /** What runs have cost, those that are no longer kept included; by default of the last 30 days. */
  costs(query?: Omit<CostQuery, "groupBy"> & { groupBy?: readonly CostGroup[] } & CallOptions): Promise<CostReport>;
  /** How the cost of a run comes about, call by call. */
  runCosts(id: string, options?: CallOptions): Promise<RunCosts>;
  /** What webhooks of the environment are signed with. */
  webhookSecret(options?: CallOptions): Promise<WebhookSecret>;
  /** A new secret; the old one signs beside it for 24 hours. */
  rotateWebhookSecret(options?: CallOptions): Promise<WebhookSecret>;
  /** Newest first, a page at a time. */
  webhookDeliveries(filter?: WebhookFilterQuery & CallOptions): Promise<WebhookDeliveryList>;
  webhookDelivery(id: string, options?: CallOptions): Promise<WebhookDeliveryDetail>;
  /** Delivers again, with the same `webhook-id`. */
  replayWebhook(id: string, options?: CallOptions): Promise<WebhookDelivery>;
  /** All of a time: those that failed for good, unless `statuses` says otherwise. */
  replayWebhooks(range: ReplayDeliveries & CallOptions): Promise<ReplayedDeliveries>;
  /** Whether the server takes runs, and why not. */
  readiness(options?: CallOptions): Promise<Readiness>;
}

/**
 * @example
 * const client = createClient({ url: "http://127.0.0.1:7070" });
 * const { id } = await client.startRun("triage", { input: { ticket: "It does not work" } });
 * const run = await client.waitForRun(id);
 */
export function createClient(options: ClientOptions): Client {
  const transport = new Transport(options);
  const call = async <Answer>(sent: Omit<Sent, "repeatable"> & { repeatable?: boolean }): Promise<Answer> =>
    (await transport.call({ repeatable: sent.method === "GET", ...sent })) as Answer;
  const get = <Answer>(path: string, { signal }: CallOptions = {}, query: Sent["query"] = {}) =>
    call<Answer>({ method: "GET", path, query, signal });
  const runPath = (id: string, rest = "") => `/v1/runs/${encodeURIComponent(id)}${rest}`;

  const client: Client = {
    startRun(flow, { signal, idempotencyKey, ...body } = {}) {
      const path = `/v1/flows/${encodeURIComponent(flow)}/runs`;
      return call({ method: "POST", path, body, headers: keyHeader(idempotencyKey), signal, repeatable: true });
    },
    getRun: (id, { wait, ...rest } = {}) => get(runPath(id), rest, { wait }),
    waitForRun: (id, waiting = {}) => waitForRun(client, id, waiting),
    listRuns: ({ signal, ...filter } = {}) => get<RunList>("/v1/runs", { signal }, filter),
    steps: async (id, rest) => (await get<StepList>(runPath(id, "/steps"), rest)).steps,
    events: (id, following) => followRun(transport, id, following),
    cancel: (id, { signal } = {}) => call({ method: "POST", path: runPath(id, "/cancel"), signal }),
    replay(id, { signal, idempotencyKey, ...body } = {}) {
      return call({ method: "POST", path: runPath(id, "/replay"), body, headers: keyHeader(idempotencyKey), signal, repeatable: true });
    },
    signal: (id, name, payload = null, { signal } = {}) =>
      call({ method: "POST", path: runPath(id, `/signals/${encodeURIComponent(name)}`), body: payload, signal }),
    giveFeedback(id, { signal, idempotencyKey, ...body }) {
      return call({ method: "POST", path: runPath(id, "/feedback"), body, headers: keyHeader(idempotencyKey), signal, repeatable: true });
    },
    feedback: async (id, rest) => (await get<FeedbackList>(runPath(id, "/feedback"), rest)).feedback,
    flows: async (rest) => (await get<FlowList>("/v1/flows", rest)).flows,
    flow: (name, rest) => get(`/v1/flows/${encodeURIComponent(name)}`, rest),
    releases: async (rest) => (await get<ReleaseList>("/v1/releases", rest)).releases,
    release: (number, rest) => get(`/v1/releases/${number}`, rest),
    // Deploying what is current already changes nothing, so it may be sent again.
    deploy: ({ signal, ...body }) => call({ method: "POST", path: "/v1/releases", body, signal, repeatable: true }),
    keys: async (rest) => (await get<ApiKeyList>("/v1/keys", rest)).keys,
    createKey: ({ signal, ...body }) => call({ method: "POST", path: "/v1/keys", body, signal }),
    revokeKey: (id, { signal } = {}) => call({ method: "DELETE", path: `/v1/keys/${encodeURIComponent(id)}`, signal }),
    costs: ({ signal, groupBy, ...query } = {}) => get<CostReport>("/v1/costs", { signal }, { ...query, groupBy: groupBy?.join(",") }),
    runCosts: (id, rest) => get<RunCosts>(runPath(id, "/costs"), rest),
    webhookSecret: (rest) => get<WebhookSecret>("/v1/webhooks/secret", rest),
    rotateWebhookSecret: ({ signal } = {}) => call({ method: "POST", path: "/v1/webhooks/secret/rotate", signal }),
    webhookDeliveries: ({ signal, ...filter } = {}) => get<WebhookDeliveryList>("/v1/webhooks/deliveries", { signal }, filter),
    webhookDelivery: (id, rest) => get(`/v1/webhooks/deliveries/${encodeURIComponent(id)}`, rest),
    replayWebhook: (id, { signal } = {}) =>
      call({ method: "POST", path: `/v1/webhooks/deliveries/${encodeURIComponent(id)}/replay`, signal }),
    replayWebhooks: ({ signal, ...body }) => call({ method: "POST", path: "/v1/webhooks/deliveries/replay", body, signal }),
    async readiness({ signal } = {}) {
      const response = await transport.send({ method: "GET", path: "/readyz", signal, repeatable: true });
      // 503 is an answer too; whatever else is not from a flow-run server.
      if (response.ok || response.status === 503) return (await response.json()) as Readiness;
      throw await readProblem(response);
    },
  };
  return client;
}

function keyHeader(key: string | undefined): Record<string, string> {
  const value = key ?? crypto.randomUUID();
  return { "idempotency-key": `"${value.replace(/["\\]/g, "\\$&")}"` };
}

async function waitForRun(
  client: Client,
  id: string,
  { signal, timeoutMs = Number.POSITIVE_INFINITY, unreachableMs = 60_000 }: CallOptions & { timeoutMs?: number; unreachableMs?: number },
): Promise<Run> {
  const startedMs = Date.now();
  let awaySince: number | null = null;
  for (;;) {
    const askedMs = Date.now();
    const leftMs = startedMs + timeoutMs - askedMs;
    try {
      const run = await client.getRun(id, { wait: Math.max(0, Math.min(WAIT_SECONDS, leftMs / 1000)), signal });
      if (run.finishedAt !== null) return run;
      awaySince = null;
      if (leftMs <= 0)
        throw new ApiError(
          "timeout",
          `Run ${id} is still ${run.status} after ${Math.round(timeoutMs / 1000)} s. It goes on; ask for it later.`,
        );
      // A server that is closing answers at once instead of waiting.
      if (Date.now() - askedMs < SOONEST_MS) await pause(SOONEST_MS, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || !error.retryable) throw error;
      awaySince ??= Date.now();
      if (Date.now() - awaySince >= unreachableMs || leftMs <= 0) throw error;
      await pause(error.retryAfterMs ?? 500, signal);
    }
  }
}
