import { expect, it } from "vitest";
import { ManualClock } from "../__fixtures__/manual-clock.ts";
import { TokenBucket } from "./token-bucket.ts";

const never = new AbortController().signal;

it("lets a burst through up to a minute's worth, then makes wait until enough has flowed in", async () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(600);
  await bucket.reserve(600, never, clock);
  const next = bucket.reserve(10, never, clock);
  await clock.untilSleeping(1_000);
  clock.advance(1_000);
  await next;
});

it("gives back what was reserved and not used", async () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(600);
  await bucket.reserve(600, never, clock);
  bucket.settle(600, 100);
  await bucket.reserve(500, never, clock);
  expect(clock.slept).toEqual([]);
});

it("makes later requests wait for what an earlier one used beyond its reservation", async () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(600);
  await bucket.reserve(100, never, clock);
  bucket.settle(100, 700);
  const next = bucket.reserve(1, never, clock);
  await clock.untilSleeping(10_100);
  clock.advance(10_100);
  await next;
});

it("lets a request larger than the bucket go when the bucket is full", async () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(600);
  await bucket.reserve(5_000, never, clock);
  expect(clock.slept).toEqual([]);
});

it("serves in order, and those behind an aborted one neither overtake nor get stuck", async () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(600);
  await bucket.reserve(600, never, clock);
  const served: string[] = [];
  const aborted = new AbortController();
  const first = bucket.reserve(100, never, clock).then(() => served.push("first"));
  const second = bucket.reserve(100, aborted.signal, clock).catch(() => served.push("second gone"));
  const third = bucket.reserve(100, never, clock).then(() => served.push("third"));
  await clock.untilSleeping(10_000);
  aborted.abort();
  await second;
  clock.advance(10_000);
  await first;
  await clock.untilSleeping(10_000);
  clock.advance(10_000);
  await third;
  expect(served).toEqual(["second gone", "first", "third"]);
});
