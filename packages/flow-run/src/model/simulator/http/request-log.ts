import type { TokenUsage } from "@flow-run/spec";
import type { ProtocolName } from "./protocol.ts";

const LONGEST_TEXT = 200;

/** What the simulator remembers of a request. */
export interface LoggedRequest {
  /** From 1, without gaps since the start or the last reset. */
  n: number;
  /** Epoch milliseconds when the body had come. */
  atMs: number;
  protocol: ProtocolName;
  model: string | null;
  /** The header `x-flow-run-attempt`. */
  attempt: string | null;
  /** The status that was sent; 0 while there is none, and when the client left before it. */
  status: number;
  /** What the vendor bills, by the buckets that its wire knows; null when nothing was written, or no usage is reported. */
  usage: TokenUsage | null;
  /** The answer went out to its last byte, with a status of 200 and without an injected fault. */
  answeredInFull: boolean;
  /** SHA-256 of the request's body, in hex. */
  bodySha256: string;
  /** The beginning of what the user said last. */
  lastUserText: string;
}

/** Sums over all requests since the start or the last reset, those included that the log has already forgotten. */
export interface RequestTotals {
  requests: number;
  answeredInFull: number;
  /** Requests by status; 0 are those that got none. */
  byStatus: { [status: string]: number };
  /** What was billed. */
  usage: TokenUsage;
  models: { [model: string]: { requests: number; answeredInFull: number; usage: TokenUsage } };
}

/** A bounded record of what was asked and how it was answered. Oldest requests are forgotten first, sums are kept. */
export class RequestLog {
  private readonly capacity: number;
  private entries: LoggedRequest[] = [];
  private count = 0;
  private forgotten: Sums = noSums();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  add(request: Omit<LoggedRequest, "n" | "status" | "usage" | "answeredInFull">): LoggedRequest {
    const entry: LoggedRequest = {
      ...request,
      lastUserText: shorten(request.lastUserText),
      n: ++this.count,
      status: 0,
      usage: null,
      answeredInFull: false,
    };
    const place = (entry.n - 1) % this.capacity;
    const oldest = this.entries[place];
    if (oldest) addTo(this.forgotten, oldest);
    this.entries[place] = entry;
    return entry;
  }

  /** Requests after number `since`, oldest first, at most `limit`. */
  list(since = 0, limit = this.capacity): LoggedRequest[] {
    const first = Math.max(since, this.count - this.entries.length) + 1;
    const found: LoggedRequest[] = [];
    for (let n = first; n <= this.count && found.length < limit; n++) found.push(this.entries[(n - 1) % this.capacity]!);
    return found;
  }

  get total(): number {
    return this.count;
  }

  totals(): RequestTotals {
    const sums = structuredClone(this.forgotten);
    for (const entry of this.entries) addTo(sums, entry);
    return { ...sums, byStatus: Object.fromEntries(sums.byStatus), models: Object.fromEntries(sums.models) };
  }

  clear(): void {
    this.entries = [];
    this.count = 0;
    this.forgotten = noSums();
  }
}

/** Maps, because a client may name its model as it likes. */
type Sums = Omit<RequestTotals, "byStatus" | "models"> & {
  byStatus: Map<number, number>;
  models: Map<string, RequestTotals["models"][string]>;
};

function addTo(sums: Sums, entry: LoggedRequest): void {
  const model = entry.model ?? "";
  let ofModel = sums.models.get(model);
  if (!ofModel) {
    ofModel = { requests: 0, answeredInFull: 0, usage: noUsage() };
    sums.models.set(model, ofModel);
  }
  const answered = entry.answeredInFull ? 1 : 0;
  sums.requests++;
  ofModel.requests++;
  sums.answeredInFull += answered;
  ofModel.answeredInFull += answered;
  sums.byStatus.set(entry.status, (sums.byStatus.get(entry.status) ?? 0) + 1);
  if (!entry.usage) return;
  for (const bucket of Object.keys(sums.usage) as (keyof TokenUsage)[]) {
    sums.usage[bucket] += entry.usage[bucket];
    ofModel.usage[bucket] += entry.usage[bucket];
  }
}

function noSums(): Sums {
  return { requests: 0, answeredInFull: 0, usage: noUsage(), byStatus: new Map(), models: new Map() };
}

function noUsage(): TokenUsage {
  return { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
}

/** A copy of its own: a slice would keep the whole prompt in memory for as long as the log lasts. */
function shorten(text: string): string {
  return text.length <= LONGEST_TEXT ? text : Buffer.from(text.slice(0, LONGEST_TEXT).toWellFormed()).toString();
}
