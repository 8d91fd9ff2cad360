import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SharedLife } from "./__fixtures__/shared-life.ts";

describe("requests a minute", () => {
  it("are never more than the limit in any minute, over all processes, and nobody waits for ever", () => {
    const arrivals = fc.array(fc.record({ process: fc.nat(2), afterMs: fc.nat(20_000), count: fc.integer({ min: 1, max: 30 }) }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), arrivals, fc.integer({ min: 10, max: 3_000 }), (limit, arrivals, callMs) => {
        const life = new SharedLife(3, { requestsPerMinute: limit }, { callMs });
        let came = 0;
        for (const { process, afterMs, count } of arrivals) {
          life.live(afterMs);
          life.come(process, count);
          came += count;
        }
        // A minute for each time that the limit fits into what came, and a little for each for the edges of the window.
        life.live(Math.ceil(came / limit) * 63_000 + 2_000);
        expect(life.waiting).toBe(0);
        expect(life.mostInAMinute()).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 60 },
    );
  });

  it("are all for the one process that has something to do", () => {
    const life = new SharedLife(3, { requestsPerMinute: 300 });
    life.come(0, 10_000);
    life.live(300_000);
    expect(life.sent.length / 5).toBeGreaterThan(0.95 * 300);
    expect(life.mostInAMinute()).toBeLessThanOrEqual(300);
  });

  it("go to those who came first, whichever process they came to", () => {
    const life = new SharedLife(3, { requestsPerMinute: 10 });
    life.come(0, 40);
    life.live(5_000);
    life.come(1, 10);
    life.live(5_000);
    life.come(2, 10);
    life.live(400_000);
    const order = life.sent.map(({ process }) => process);
    expect(order.lastIndexOf(0)).toBeLessThan(order.indexOf(1));
    expect(order.lastIndexOf(1)).toBeLessThan(order.indexOf(2));
  });

  it("are left to the others within two seconds when a process dies that stood in line before them", () => {
    const life = new SharedLife(2, { requestsPerMinute: 60 });
    life.come(0, 200);
    life.live(200);
    life.come(1, 30);
    life.live(58_000);
    life.die(0);
    life.live(6_000);
    expect(life.sent.filter(({ process }) => process === 1).length).toBe(30);
  });

  it("need few talks: about one a second and process when many requests flow below the limit", () => {
    const life = new SharedLife(1, { requestsPerMinute: 6_000 });
    let steps = 0;
    life.live(20_000, () => {
      if (steps++ % 2 === 0) life.come(0, 1);
    });
    expect(life.sent.length).toBeGreaterThan(395);
    expect(life.changes).toBeLessThan(60);
    expect(Math.max(...life.sent.map(({ waitedMs }) => waitedMs))).toBeLessThanOrEqual(25);
  });

  it("may be fractions: one request in so many minutes", () => {
    const life = new SharedLife(2, { requestsPerMinute: 0.5 });
    life.come(0, 2);
    life.come(1, 1);
    life.live(260_000);
    const gaps = life.sent.slice(1).map(({ atMs }, index) => atMs - life.sent[index]!.atMs);
    expect(gaps).toHaveLength(2);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(120_000);
  });
});

describe("tokens a minute", () => {
  it("are never more than the limit in any minute, and large requests get their turn", () => {
    const arrivals = fc.array(
      fc.record({
        process: fc.nat(2),
        afterMs: fc.nat(15_000),
        count: fc.integer({ min: 1, max: 8 }),
        tokens: fc.integer({ min: 1, max: 1_000 }),
      }),
      { minLength: 1, maxLength: 10 },
    );
    fc.assert(
      fc.property(arrivals, (arrivals) => {
        const life = new SharedLife(3, { tokensPerMinute: 1_000 });
        let came = 0;
        for (const { process, afterMs, count, tokens } of arrivals) {
          life.live(afterMs);
          life.come(process, count, tokens);
          came += count * tokens;
        }
        // A request of more than half the limit leaves room that no other of its size can use.
        life.live((Math.ceil(came / 1_000) + 1) * 2 * 63_000);
        expect(life.waiting).toBe(0);
        expect(life.mostInAMinute(({ tokens }) => tokens)).toBeLessThanOrEqual(1_000);
      }),
      { numRuns: 40 },
    );
  });

  it("are not given ahead to a busy process while a large request waits elsewhere", () => {
    const life = new SharedLife(2, { tokensPerMinute: 1_000 });
    let steps = 0;
    const trickle = () => {
      if (steps++ % 4 === 0) life.come(1, 1, 1);
    };
    life.live(20_000, trickle);
    life.come(0, 1, 900);
    life.live(75_000, trickle);
    expect(life.sent.filter(({ process }) => process === 0)).toHaveLength(1);
  });

  it("let a request larger than the whole limit go when nothing else counts", () => {
    const life = new SharedLife(2, { tokensPerMinute: 600 });
    life.come(0, 1, 300);
    life.live(100);
    life.come(1, 1, 5_000);
    life.live(70_000);
    expect(life.sent.map(({ tokens }) => tokens)).toEqual([300, 5_000]);
  });
});

describe("requests at once", () => {
  it("are never more than the limit, over all processes, and nobody waits for ever", () => {
    const arrivals = fc.array(fc.record({ process: fc.nat(3), afterMs: fc.nat(3_000), count: fc.integer({ min: 1, max: 20 }) }), {
      minLength: 1,
      maxLength: 15,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), arrivals, fc.integer({ min: 10, max: 4_000 }), (limit, arrivals, callMs) => {
        const life = new SharedLife(4, { concurrency: limit }, { callMs });
        let came = 0;
        for (const { process, afterMs, count } of arrivals) {
          life.live(afterMs);
          life.come(process, count);
          came += count;
        }
        life.live((Math.ceil(came / limit) + 1) * (callMs + 2_500));
        expect(life.waiting).toBe(0);
        expect(life.mostOut).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 60 },
    );
  });

  it("are all for the one process that has something to do", () => {
    const life = new SharedLife(3, { concurrency: 10 }, { callMs: 1_000 });
    life.come(1, 10);
    life.come(2, 10);
    life.live(5_000);
    life.come(0, 1_000);
    life.live(2_000);
    const before = life.sent.length;
    life.live(10_000);
    expect(life.sent.length - before).toBeGreaterThanOrEqual(95);
  });

  it("are divided evenly among processes that all have more to do, within two seconds", () => {
    const life = new SharedLife(3, { concurrency: 9 }, { callMs: 250 });
    life.come(0, 10_000);
    life.live(5_000);
    life.come(1, 10_000);
    life.come(2, 10_000);
    life.live(2_500);
    const before = life.sent.length;
    life.live(30_000);
    const counts = [0, 1, 2].map((process) => life.sent.slice(before).filter((sent) => sent.process === process).length);
    for (const count of counts) expect(count).toBeGreaterThan(0.28 * (life.sent.length - before));
    expect(life.mostOut).toBe(9);
  });

  it.each([
    ["at the same moment", false],
    ["all the time", true],
  ])("are taken in turns when there are fewer than processes whose waiters come %s, and hardly any time is lost", (_, always) => {
    const life = new SharedLife(3, { concurrency: 2 }, { callMs: 300 });
    const come = () => {
      for (const process of [0, 1, 2]) life.come(process, 1);
    };
    for (let n = 0; n < 1_000; n++) come();
    const each = always ? come : () => {};
    life.live(5_000, each);
    const [before, changes] = [life.sent.length, life.changes];
    life.live(60_000, each);
    const counts = [0, 1, 2].map((process) => life.sent.slice(before).filter((sent) => sent.process === process).length);
    for (const count of counts) expect(count).toBeGreaterThan(80);
    expect(life.sent.length - before).toBeGreaterThan(0.93 * 400);
    expect(life.mostOut).toBe(2);
    expect((life.changes - changes) / 60 / 3).toBeLessThan(4);
  });

  it("of a process that died are free after its lease", () => {
    const life = new SharedLife(2, { concurrency: 4 }, { callMs: 60_000 });
    life.come(0, 4);
    life.live(500);
    life.die(0);
    life.come(1, 4);
    life.live(9_000);
    expect(life.sent.length).toBe(4);
    life.live(3_000);
    expect(life.sent.length).toBe(8);
  });
});

describe("all limits together", () => {
  it("hold, whatever comes when, and nobody waits for ever", () => {
    const arrivals = fc.array(
      fc.record({
        process: fc.nat(2),
        afterMs: fc.nat(5_000),
        count: fc.integer({ min: 1, max: 20 }),
        tokens: fc.integer({ min: 1, max: 400 }),
      }),
      { minLength: 1, maxLength: 10 },
    );
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 50, max: 2_000 }), (arrivals, callMs) => {
        const life = new SharedLife(3, { concurrency: 4, requestsPerMinute: 30, tokensPerMinute: 3_000 }, { callMs });
        let came = 0;
        let tokensCame = 0;
        for (const { process, afterMs, count, tokens } of arrivals) {
          life.live(afterMs);
          life.come(process, count, tokens);
          came += count;
          tokensCame += count * tokens;
        }
        life.live((Math.ceil(came / 30) + Math.ceil(tokensCame / 2_500) + 1) * 65_000 + came * callMs);
        expect(life.waiting).toBe(0);
        expect(life.mostOut).toBeLessThanOrEqual(4);
        expect(life.mostInAMinute()).toBeLessThanOrEqual(30);
        expect(life.mostInAMinute(({ tokens }) => tokens)).toBeLessThanOrEqual(3_000);
      }),
      { numRuns: 40 },
    );
  });
});

describe("when the shared state cannot be reached", () => {
  it("goes on with the part that each had, and the limit still holds, also when it comes back", () => {
    const life = new SharedLife(3, { requestsPerMinute: 60, concurrency: 6 }, { callMs: 500 });
    for (const process of [0, 1, 2]) life.come(process, 200);
    life.live(61_000);
    life.away = true;
    life.live(180_000);
    const alone = life.sent.filter(({ atMs }) => atMs > life.nowMs - 100_000).length;
    expect(alone).toBeGreaterThan(20);
    life.away = false;
    life.live(120_000);
    expect(life.mostInAMinute()).toBeLessThanOrEqual(60);
    expect(life.mostOut).toBeLessThanOrEqual(6);
  });

  it("gives nothing out to a process that never knew how many share it", () => {
    const life = new SharedLife(1, { requestsPerMinute: 60 });
    life.away = true;
    life.come(0, 5);
    life.live(10_000);
    expect(life.sent).toEqual([]);
    life.away = false;
    life.live(2_000);
    expect(life.sent.length).toBe(5);
  });
});
