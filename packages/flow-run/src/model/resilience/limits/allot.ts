import type { Json } from "@flow-run/spec";
import { type Claim, fairShares } from "./fair-shares.ts";
import type { LimitSettings } from "./limit-settings.ts";
import { add, type Bucket, counting, nextFreeMs, slotOf, total, WINDOW_MS } from "./window.ts";

/** Waiters in a row: when the first came, how many they are, and what they need together. A single one gets all or nothing. */
export type Waiters = [sinceMs: number, count: number, tokens: number];

/** A process that shares the limit. */
interface Member {
  /** Its last sign of life. */
  at: number;
  /** Places that it holds. */
  places: number;
  wants: number;
  /** When its oldest waiter came; null when nobody waits. */
  since: number | null;
  line: Waiters[];
}

/** What all processes know of one limit. */
export interface LimitState {
  version: 1;
  requests: Bucket[];
  tokens: Bucket[];
  members: { [id: string]: Member };
  /** Targets that want to be left alone, and until when. */
  pauses: { [target: string]: number };
}

/** What a process asks of one limit. Times are ages: how many milliseconds before now. */
export interface Ask {
  member: string;
  limits: LimitSettings;
  /** Places that it holds and will not give back, and how many it could use. */
  places: { keep: number; want: number };
  /** Age of its oldest waiter; null when nobody waits. */
  since: number | null;
  /** Those who wait for permits, oldest first. */
  line: Waiters[];
  /** What is likely to be needed within a second, given only where nobody waits for it. */
  ahead: { requests: number; tokens: number };
  /** What was given out before and is corrected now: unused permits come back, estimates become real numbers. */
  corrections: { requests: Bucket[]; tokens: Bucket[] };
  /** For how long it has heard that targets want to be left alone. */
  pauses: Pause[];
}

export type Pause = [target: string, ms: number];

export interface Grant {
  /** The slot to which permits are charged. */
  slot: number;
  requests: number;
  tokens: number;
  /** How many it may take. Less than it keeps: places are to come back as its calls end. */
  places: number;
  /** Others want places too: those that are not needed should come back soon. */
  contended: boolean;
  /** Processes that share the limit, this one included. */
  members: number;
  /** When it makes sense to ask again for permits that were not given. */
  againInMs: number;
  /** The same for places. */
  placesAgainInMs: number;
  /** What anybody has heard. */
  pauses: Pause[];
}

/** A process that was silent for so long is dead: its places are free. */
export const LEASE_MS = 10_000;

/** Nothing is kept for waiters whose process was silent for so long. */
const FRESH_MS = 2_000;

/** Processes whose oldest waiters came about the same time take turns of this length at places that cannot be divided. */
const TURN_MS = 3_000;

/** Until places come that belong to this process but are still in use elsewhere; until it may be its turn. */
const FETCH_MS = 100;
const TURN_CHECK_MS = 300;

const SHORTEST_AGAIN_MS = 50;
const LONGEST_AGAIN_MS = 1_000;

/** Serves one process from what the limit allows. Pure: the next state, and what the process got. */
export function allot(before: Json | null, ask: Ask, nowMs: number): { state: LimitState; grant: Grant } {
  const state = currentState(before, ask.limits, nowMs);
  for (const [slot, amount] of ask.corrections.requests) add(state.requests, slot, amount);
  for (const [slot, amount] of ask.corrections.tokens) add(state.tokens, slot, amount);
  for (const [target, ms] of ask.pauses) state.pauses[target] = Math.max(state.pauses[target] ?? 0, Math.round(nowMs + ms));
  const others = Object.entries(state.members)
    .filter(([id]) => id !== ask.member)
    .map(([, member]) => member);
  const line = ask.line.map(([ageMs, count, tokens]): Waiters => [nowMs - ageMs, count, tokens]);
  const rates = serveLine(state, ask, line, others, nowMs);
  const since = ask.since === null ? null : nowMs - ask.since;
  const given = givePlaces(ask, since, state.members, nowMs);
  const slot = slotOf(nowMs);
  if (ask.limits.requestsPerMinute !== undefined) add(state.requests, slot, rates.requests);
  if (ask.limits.tokensPerMinute !== undefined) add(state.tokens, slot, rates.tokens);
  const wants = ask.limits.concurrency === undefined ? 0 : ask.places.want;
  const places = Math.max(ask.places.keep, given.places);
  if (places === 0 && wants === 0 && rates.left.length === 0) delete state.members[ask.member];
  else state.members[ask.member] = { at: nowMs, places, wants, since, line: rates.left };
  return {
    state,
    grant: {
      slot,
      requests: rates.requests,
      tokens: rates.tokens,
      ...given,
      pauses: Object.entries(state.pauses).map(([target, untilMs]): Pause => [target, untilMs - nowMs]),
      members: others.length + 1,
      againInMs: Math.min(LONGEST_AGAIN_MS, Math.max(SHORTEST_AGAIN_MS, rates.freeAtMs - nowMs)),
    },
  };
}

/**
 * Serves a process that cannot reach the others: from the state that it knew last, as if all members of that moment did the same. Each gets its part of
 * the limit, less everything that anybody was known to have used.
 */
export function allotAlone(before: LimitState, ask: Ask, nowMs: number): { state: LimitState; grant: Grant } {
  const others = Object.keys(before.members).filter((id) => id !== ask.member).length;
  const { concurrency, requestsPerMinute, tokensPerMinute } = ask.limits;
  const mine = before.members[ask.member];
  const limits = {
    // Of places no more than it had: the others may not have heard of it yet, and use them.
    ...(concurrency === undefined ? {} : { concurrency: Math.min(Math.floor(concurrency / (others + 1)), mine?.places ?? 0) }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute: partOf(requestsPerMinute, others + 1) }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute: tokensPerMinute / (others + 1) }),
  };
  const members = mine === undefined ? {} : { [ask.member]: mine };
  const { state, grant } = allot({ ...before, members } as unknown as Json, { ...ask, limits, ahead: { requests: 0, tokens: 0 } }, nowMs);
  return { state: { ...state, members: { ...before.members, ...state.members } }, grant };
}

function partOf(requestsPerMinute: number, members: number): number {
  const part = requestsPerMinute / members;
  return part > 1 ? Math.floor(part) : part;
}

/** How many requests in which time. Less than a whole request a minute makes the time longer. */
function pace(requestsPerMinute: number | undefined): { most: number; windowMs: number } {
  if (requestsPerMinute === undefined || Number.isInteger(requestsPerMinute)) {
    return { most: requestsPerMinute ?? Number.POSITIVE_INFINITY, windowMs: WINDOW_MS };
  }
  return { most: 1, windowMs: WINDOW_MS - 60_000 + Math.ceil(60_000 / requestsPerMinute) };
}

/** Everything that still counts. A state of a form that this version does not know counts as none. */
function currentState(before: Json | null, { requestsPerMinute }: LimitSettings, nowMs: number): LimitState {
  const known = before as unknown as LimitState | null;
  const state: LimitState = { version: 1, requests: [], tokens: [], members: {}, pauses: {} };
  if (known?.version !== 1) return state;
  state.requests = counting(known.requests, nowMs, pace(requestsPerMinute).windowMs);
  state.tokens = counting(known.tokens, nowMs, WINDOW_MS);
  for (const [target, untilMs] of Object.entries(known.pauses ?? {})) if (untilMs > nowMs) state.pauses[target] = untilMs;
  for (const [id, member] of Object.entries(known.members)) {
    if (nowMs - member.at <= LEASE_MS) state.members[id] = { ...member, at: Math.min(member.at, nowMs) };
  }
  return state;
}

/** One line over all processes: who came first is served first, and what belongs to the others' waiters is left for them to fetch. */
function serveLine(state: LimitState, ask: Ask, line: Waiters[], others: readonly Member[], nowMs: number) {
  const { most, windowMs } = pace(ask.limits.requestsPerMinute);
  const mostTokens = ask.limits.tokensPerMinute ?? Number.POSITIVE_INFINITY;
  const room = { requests: most - total(state.requests), tokens: mostTokens - total(state.tokens) };
  const waiting = [
    ...line.map((waiters) => ({ waiters, mine: true })),
    ...others.filter(({ at }) => nowMs - at <= FRESH_MS).flatMap((member) => member.line.map((waiters) => ({ waiters, mine: false }))),
  ].sort((a, b) => a.waiters[0] - b.waiters[0]);
  const got = { requests: 0, tokens: 0 };
  const left: Waiters[] = [];
  let blocked = false;
  for (const { waiters, mine } of waiting) {
    const [since, count, tokens] = waiters;
    const part = blocked ? { count: 0, tokens: 0 } : whatFits(count, tokens, room, mostTokens);
    room.requests -= part.count;
    room.tokens -= part.tokens;
    if (mine) {
      got.requests += part.count;
      got.tokens += part.tokens;
    }
    if (part.count === count) continue;
    blocked = true;
    if (mine) left.push([since, count - part.count, tokens - part.tokens]);
  }
  if (!blocked) {
    const ahead = {
      requests: Math.max(0, Math.min(ask.ahead.requests, Math.floor(room.requests / (others.length + 1)))),
      tokens: Math.max(0, Math.min(ask.ahead.tokens, Math.floor(room.tokens / (others.length + 1)))),
    };
    got.requests += ahead.requests;
    got.tokens += ahead.tokens;
  }
  const freeAtMs = Math.min(nextFreeMs(state.requests, windowMs), nextFreeMs(state.tokens, WINDOW_MS));
  return { ...got, left, freeAtMs };
}

function whatFits(count: number, tokens: number, room: { requests: number; tokens: number }, mostTokens: number) {
  if (count === 1) {
    // A request larger than the whole limit goes when nothing else counts.
    const fits = room.requests >= 1 && room.tokens >= Math.min(tokens, mostTokens);
    return fits ? { count, tokens } : { count: 0, tokens: 0 };
  }
  const share = Math.min(1, room.requests / count, tokens === 0 ? 1 : room.tokens / tokens);
  if (share >= 1) return { count, tokens };
  return { count: Math.max(0, Math.floor(share * count)), tokens: Math.max(0, Math.floor(share * tokens)) };
}

/** Places are kept for as long as they are used, so they are divided evenly among those who want some. */
function givePlaces(
  ask: Ask,
  since: number | null,
  members: LimitState["members"],
  nowMs: number,
): Pick<Grant, "places" | "contended" | "placesAgainInMs"> {
  const { concurrency } = ask.limits;
  if (concurrency === undefined) return { places: 0, contended: false, placesAgainInMs: LONGEST_AGAIN_MS };
  const others = Object.entries(members).filter(([id]) => id !== ask.member);
  const ids = [ask.member, ...others.map(([id]) => id)].sort();
  const turnOf = (id: string) => (ids.indexOf(id) + Math.floor(nowMs / TURN_MS)) % ids.length;
  const about = (since: number | null) => (since === null ? Number.POSITIVE_INFINITY : Math.floor(since / TURN_MS));
  const mine: Claim = { want: ask.places.want, since: about(since), turn: turnOf(ask.member) };
  const claims = others.map(([id, member]): Claim => {
    const fresh = nowMs - member.at <= FRESH_MS;
    return {
      want: fresh ? member.wants : member.places,
      since: about(fresh ? member.since : null),
      turn: turnOf(id),
    };
  });
  const [share] = fairShares(concurrency, [mine, ...claims]);
  const free = concurrency - others.reduce((sum, [, { places }]) => sum + places, 0);
  const places = Math.max(0, Math.min(share!, free));
  return {
    places,
    placesAgainInMs: places < share! ? FETCH_MS : places === 0 ? TURN_CHECK_MS : LONGEST_AGAIN_MS,
    contended: mine.want + claims.reduce((sum, { want }) => sum + want, 0) > concurrency,
  };
}
