import { violationsOf } from "./check/index.ts";
import type { ChaosHistory } from "./history.ts";

/** Ways to break a guarantee on paper: each must be found, or the checks prove nothing. Tells the ones that were not. */
export function controlsOf(history: ChaosHistory): string[] {
  const complaints: string[] = [];
  const before = new Set(violationsOf(history));
  for (const [name, doctored] of Object.entries(DOCTORED)) {
    const changed = doctored(history);
    if (changed === null) complaints.push(`control: the history has nothing in it to try "${name}" on`);
    else if (violationsOf({ ...history, ...changed }).every((violation) => before.has(violation)))
      complaints.push(`control: nothing was found wrong with ${name}`);
  }
  return complaints;
}

const DOCTORED: Record<string, (history: ChaosHistory) => Partial<ChaosHistory> | null> = {
  "a run that was accepted and is gone": ({ runs, listed }) => {
    const [id] = runs.keys();
    return { runs: without(runs, id!), listed: listed.filter((run) => run.id !== id) };
  },
  "an acknowledgement that was lost": ({ accepted }) => ({ accepted: new Map([...accepted].slice(1)) }),
  "a key with two runs": ({ accepted, runs }) => {
    const [key, first] = [...accepted][0]!;
    const other = [...runs.keys()].find((id) => id !== first.run)!;
    return { accepted: new Map(accepted).set(key, { ...first, run: other }) };
  },
  "a run that never ended": ({ runs }) => {
    const run = [...runs.values()][0]!;
    return { runs: new Map(runs).set(run.id, { ...run, status: "running", finishedAt: null }) };
  },
  "a request after its step was recorded": ({ requests, story }) => {
    const step = story.steps.find((one) => story.attempts.some((attempt) => attempt.run === one.run && attempt.path === one.path));
    const attempt = story.attempts.find((one) => one.run === step?.run && one.path === step.path && one.epoch === step.epoch);
    const at = step && new Date(step.atMs + 5).toISOString();
    return attempt ? { requests: requests.map((request) => (request.attempt === attempt.id ? { ...request, at: at! } : request)) } : null;
  },
  "a request that was never announced": ({ requests }) => ({ requests: [...requests, { ...requests[0]!, attempt: "att_unknown" }] }),
  "a bill that was not booked": ({ requests }) => {
    const billed = requests.find((request) => request.usage !== null)!;
    const usage = { ...billed.usage!, outputTokens: billed.usage!.outputTokens + 1 };
    return { requests: requests.map((request) => (request === billed ? { ...billed, usage } : request)) };
  },
  "a step that a former owner wrote": ({ story }) => {
    const taken = story.claims.find((claim) => claim.epoch > 1 && story.steps.some((step) => step.run === claim.run));
    if (!taken) return null;
    const step = story.steps.find((one) => one.run === taken.run)!;
    const late = { ...step, epoch: taken.epoch - 1, atMs: taken.atMs + 1 };
    return { story: { ...story, steps: story.steps.map((one) => (one === step ? late : one)) } };
  },
  "an end that came twice": ({ story }) => {
    const end = story.turns.find((turn) => turn.to === "succeeded")!;
    return { story: { ...story, turns: [...story.turns, end] } };
  },
  "a webhook that never came": ({ arrivals }) => {
    const message = arrivals.find((arrival) => arrival.path === "/hook" && arrival.treatment === "taken");
    return message ? { arrivals: arrivals.filter((arrival) => arrival.id !== message.id) } : null;
  },
  "a webhook under another id": ({ arrivals }) => {
    const message = arrivals.find((arrival) => arrival.path === "/hook");
    return message ? { arrivals: [...arrivals, { ...message, id: "msg_other" }] } : null;
  },
  "an event that is missing": ({ replayed }) => {
    const [id, events] = [...replayed].find(([, its]) => its.length > 2) ?? [];
    return id ? { replayed: new Map(replayed).set(id, events!.toSpliced(1, 1)) } : null;
  },
  "a step that was forgotten": ({ steps }) => {
    const [id, its] = [...steps].find(([, some]) => some.length > 1) ?? [];
    return id ? { steps: new Map(steps).set(id, its!.slice(1)) } : null;
  },
  "a run on another release": ({ runs, releases }) => {
    const run = [...runs.values()].find((one) => one.status === "succeeded")!;
    const release = [...releases.keys()].find((number) => number !== run.release);
    return release ? { runs: new Map(runs).set(run.id, { ...run, release }) } : null;
  },
  "a canary that was held up": ({ chirps }) => ({ chirps: chirps.map((chirp) => ({ ...chirp, tookMs: 60_000 })) }),
  "a fault that hit nothing": ({ faults }) => ({ faults: faults.map((fault) => ({ ...fault, fired: false })) }),
};

function without<K, V>(map: ReadonlyMap<K, V>, key: K): Map<K, V> {
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}
