import type { Json } from "@flow-run/spec";
import { describe, expect, it } from "vitest";
import { turnOfTheLoop } from "../../__fixtures__/call-lab.ts";
import { ManualClock } from "../../__fixtures__/manual-clock.ts";
import type { LimitState } from "./allot.ts";
import { type ChangeState, type LimitStates, MemoryLimitStates } from "./limit-states.ts";
import { type AppliedLimit, Limiter, type Pass } from "./limiter.ts";

const never = new AbortController().signal;
const model: AppliedLimit = { key: "model", limits: { requestsPerMinute: 2 } };
const other: AppliedLimit = { key: "other", limits: { requestsPerMinute: 100 } };
const provider: AppliedLimit = { key: "provider", limits: { requestsPerMinute: 10 } };

/** Lets time go by as sleepers ask for it. */
async function live(clock: ManualClock, ms: number): Promise<void> {
  for (const end = clock.now() + ms; clock.now() < end; ) {
    await turnOfTheLoop();
    clock.advance(100);
  }
  await turnOfTheLoop();
}

function setUp(states?: LimitStates) {
  const clock = new ManualClock();
  const limiter = new Limiter({ clock, states: states ?? new MemoryLimitStates(() => clock.now()) });
  const passed: { name: string; pass: Pass }[] = [];
  const enter = (name: string, applied: AppliedLimit[], signal = never, tokens = 0) =>
    limiter.enter(applied, tokens, signal).then((pass) => passed.push({ name, pass }));
  return { clock, limiter, passed, enter, names: () => passed.map(({ name }) => name) };
}

/** States in memory that can be looked at and be out of reach. */
class WatchedStates implements LimitStates {
  readonly states = new Map<string, Json>();
  changes = 0;
  away = false;
  private readonly clock: () => number;

  constructor(clock: () => number) {
    this.clock = clock;
  }

  async change(keys: readonly string[], change: ChangeState): Promise<void> {
    if (this.away) throw new Error("away");
    this.changes++;
    for (const key of keys) this.states.set(key, change(key, this.states.get(key) ?? null, this.clock()));
  }
}

describe("a request that is subject to two limits", () => {
  it("needs both", async () => {
    const { enter, names, clock } = setUp();
    for (const name of ["1", "2", "3"]) void enter(name, [model, provider]);
    await live(clock, 5_000);
    expect(names()).toEqual(["1", "2"]);
    await live(clock, 60_000);
    expect(names()).toEqual(["1", "2", "3"]);
  });

  it("takes nothing of a provider while its model has no room, so that other models have it, in other processes too", async () => {
    const clock = new ManualClock();
    const states = new WatchedStates(() => clock.now());
    const [one, two] = [new Limiter({ clock, states }), new Limiter({ clock, states })];
    for (let n = 0; n < 50; n++) void one.enter([model, provider], 0, never);
    await live(clock, 3_000);
    let passed = 0;
    for (let n = 0; n < 8; n++) void two.enter([other, provider], 0, never).then(() => passed++);
    await live(clock, 3_000);
    expect(passed).toBe(8);
  });

  it("gets its turn at a provider that another model's requests keep busy", async () => {
    const { enter, names, clock } = setUp();
    for (let n = 0; n < 30; n++) void enter("other", [other, provider]);
    await live(clock, 1_000);
    void enter("late", [model, provider]);
    for (let n = 0; n < 30; n++) void enter("later", [other, provider]);
    await live(clock, 4 * 62_000);
    expect(names().indexOf("late")).toBeGreaterThan(-1);
    expect(names().indexOf("late")).toBeLessThan(45);
  });
});

describe("a waiting request", () => {
  it("leaves the line as soon as its signal aborts, and those behind it move up", async () => {
    const { enter, names, clock, passed } = setUp();
    const one: AppliedLimit = { key: "one", limits: { concurrency: 1 } };
    void enter("1", [one]);
    await turnOfTheLoop();
    const controller = new AbortController();
    const gone = enter("2", [one], controller.signal);
    void enter("3", [one]);
    await live(clock, 500);
    controller.abort(new Error("enough"));
    await expect(gone).rejects.toThrow("enough");
    passed[0]!.pass.leave({ sent: true });
    await turnOfTheLoop();
    expect(names()).toEqual(["1", "3"]);
  });

  it("does not begin to wait when its signal has aborted already", async () => {
    const { limiter } = setUp();
    await expect(limiter.enter([model], 0, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
  });
});

describe("a pass", () => {
  it("that was not used comes back", async () => {
    const { enter, names, clock, passed } = setUp();
    for (const name of ["1", "2", "3"]) void enter(name, [model]);
    await turnOfTheLoop();
    passed[0]!.pass.leave({ sent: false });
    await live(clock, 2_000);
    expect(names()).toEqual(["1", "2", "3"]);
  });
});

describe("settings that change", () => {
  it("hold for those who come from then on, and count what went before", async () => {
    const { enter, names, clock } = setUp();
    for (const name of ["1", "2", "3"]) void enter(name, [model]);
    await turnOfTheLoop();
    expect(names()).toEqual(["1", "2"]);
    void enter("4", [{ ...model, limits: { requestsPerMinute: 4 } }]);
    await live(clock, 2_000);
    expect(names()).toEqual(["1", "2", "3", "4"]);
  });
});

describe("the talk about limits", () => {
  it("rests when nobody is subject to one, and what was held is given back before", async () => {
    const clock = new ManualClock();
    const states = new WatchedStates(() => clock.now());
    const limiter = new Limiter({ clock, states });
    const pass = await limiter.enter([{ key: "k", limits: { concurrency: 3, requestsPerMinute: 60 } }], 0, never);
    pass.leave({ sent: true });
    await live(clock, 5_000);
    expect((states.states.get("k") as unknown as LimitState).members).toEqual({});
    const before = states.changes;
    await live(clock, 30_000);
    expect(states.changes).toBe(before);
  });

  it("gives back at the end what is held", async () => {
    const clock = new ManualClock();
    const states = new WatchedStates(() => clock.now());
    const limiter = new Limiter({ clock, states });
    const pass = await limiter.enter([{ key: "k", limits: { concurrency: 3 } }], 0, never);
    pass.leave({ sent: true });
    await limiter.close();
    expect((states.states.get("k") as unknown as LimitState).members).toEqual({});
  });

  it("is told of as trouble while the states are out of reach, and goes on when they are back", async () => {
    const clock = new ManualClock();
    const states = new WatchedStates(() => clock.now());
    const troubles: string[] = [];
    const limiter = new Limiter({ clock, states, onTrouble: (error, doing) => troubles.push(`${(error as Error).message} ${doing}`) });
    states.away = true;
    let passed = false;
    void limiter.enter([model], 0, never).then(() => {
      passed = true;
    });
    await live(clock, 3_000);
    expect(passed).toBe(false);
    expect(troubles[0]).toBe("away sharing the limits of models");
    expect(troubles.length).toBeLessThan(6);
    states.away = false;
    await live(clock, 2_000);
    expect(passed).toBe(true);
  });
});
