import { chirpsOf, percentile } from "./check/isolation.ts";
import { lateRequests } from "./check/never-repeat.ts";
import { type Takeover, takeovers } from "./check/takeover.ts";
import type { ChaosHistory } from "./history.ts";
import { FAULT_KINDS } from "./plan.ts";

/** The figures of a history, as lines of text. */
export function reportOf(history: ChaosHistory): string {
  const { accepted, runs, requests, story, arrivals, faults, steps, followed, replayed } = history;
  const all = [...runs.values()];
  const attempts = [...steps.values()].flat().flatMap((step) => step.attempts);
  const statuses = counted(all.map((run) => run.status));
  const taken = takeovers(history);
  const { calm, stormy } = chirpsOf(history);
  const messages = arrivals.filter((arrival) => arrival.path === "/hook");
  const seconds = (ms: number | null | undefined) => (ms === null || ms === undefined ? "–" : `${(ms / 1000).toFixed(1)} s`);
  const longest = (some: readonly Takeover[]) => (some.length === 0 ? "–" : seconds(Math.max(...some.map((takeover) => takeover.tookMs))));
  const rows: [what: string, figure: string][] = [
    ["runs accepted", `${accepted.size}: ${statuses}`],
    ["steps recorded", String(story.steps.length)],
    ["requests to vendors", `${requests.length}: ${counted(requests.map((request) => String(request.status)))}`],
    ["attempts", `${attempts.length}: ${counted(attempts.map((attempt) => attempt.status))}`],
    ["calls repeated because their worker was lost", String(attempts.filter((attempt) => attempt.status === "unknown").length)],
    ["requests of former owners that no fence could hold back", String(lateRequests(history))],
    [
      "faults",
      `${faults.length}: ${FAULT_KINDS.map((kind) => `${kind} ${faults.filter((fault) => fault.kind === kind).length}`).join(", ")}`,
    ],
    ["runs taken over from a lost server", String(taken.length)],
    [
      "longest wait for another server",
      `${longest(taken.filter((takeover) => !takeover.disturbed))}; with the database away meanwhile ${longest(taken.filter((takeover) => takeover.disturbed))}`,
    ],
    ["claims beyond the first", String(story.claims.filter((claim) => claim.epoch > 1).length)],
    ["webhook messages", `${new Set(messages.map((message) => message.id)).size}, in ${messages.length} deliveries`],
    ["event streams", `${replayed.size} read afterwards, ${followed.size} followed live`],
    ["canary, calm", `p50 ${seconds(percentile(calm, 0.5))}, p99 ${seconds(percentile(calm, 0.99))} of ${calm.length}`],
    ["canary, under faults", `p50 ${seconds(percentile(stormy, 0.5))}, p99 ${seconds(percentile(stormy, 0.99))} of ${stormy.length}`],
    ["faults lasted", seconds(history.healedMs - history.faultsFromMs)],
    ["all ended after the last fault", seconds(history.endedMs - history.healedMs)],
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  return rows.map(([what, figure]) => `${what.padEnd(width)}  ${figure}`).join("\n");
}

function counted(values: readonly string[]): string {
  const counts = [...Map.groupBy(values, (value) => value)].sort(([, a], [, b]) => b.length - a.length);
  return counts.map(([value, its]) => `${its.length} ${value}`).join(", ");
}
