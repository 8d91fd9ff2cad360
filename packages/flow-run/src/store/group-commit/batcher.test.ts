import { describe, expect, it } from "vitest";
import { Batcher } from "./batcher.ts";

/** Writes that end when the test says so. */
function controlled() {
  const batches: { items: number[]; finish: () => void; fail: (error: Error) => void }[] = [];
  const write = (items: readonly number[]) =>
    new Promise<number[]>((resolve, reject) => {
      batches.push({ items: [...items], finish: () => resolve(items.map((item) => item * 10)), fail: reject });
    });
  return { batches, write };
}

const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

describe("a batcher", () => {
  it("writes what comes in one turn of the event loop together, and answers each with its own", async () => {
    const { batches, write } = controlled();
    const batcher = new Batcher({ write, maxItems: 100 });
    const answers = [1, 2].map((item) => batcher.add(item));
    await Promise.resolve();
    answers.push(batcher.add(3));
    await turn();
    expect(batches.map((batch) => batch.items)).toEqual([[1, 2, 3]]);
    batches[0]!.finish();
    expect(await Promise.all(answers)).toEqual([10, 20, 30]);
  });

  it("gathers while a batch is on its way, and keeps the order", async () => {
    const { batches, write } = controlled();
    const batcher = new Batcher({ write, maxItems: 100 });
    const first = batcher.add(1);
    await turn();
    const later = [2, 3, 4].map((item) => batcher.add(item));
    await turn();
    expect(batches).toHaveLength(1);
    batches[0]!.finish();
    await first;
    await turn();
    expect(batches.map((batch) => batch.items)).toEqual([[1], [2, 3, 4]]);
    batches[1]!.finish();
    await Promise.all(later);
  });

  it("bounds batches by number and by weight, and lets a heavy item go alone", async () => {
    const { batches, write } = controlled();
    const batcher = new Batcher({ write, maxItems: 3, maxWeight: 10, weigh: (item: number) => item, maxInFlight: 10 });
    for (const item of [1, 1, 1, 1, 8, 2, 99, 1]) void batcher.add(item);
    await turn();
    expect(batches.map((batch) => batch.items)).toEqual([[1, 1, 1], [1, 8], [2], [99], [1]]);
  });

  it("sends no more batches at once than allowed", async () => {
    const { batches, write } = controlled();
    const batcher = new Batcher({ write, maxItems: 1, maxInFlight: 2 });
    const answers = [1, 2, 3].map((item) => batcher.add(item));
    await turn();
    expect(batches.map((batch) => batch.items)).toEqual([[1], [2]]);
    batches[1]!.finish();
    await answers[1];
    await turn();
    expect(batches).toHaveLength(3);
  });

  it("fails an item for its own error, all for the error of the whole, and goes on", async () => {
    let calls = 0;
    const batcher = new Batcher<number, number>({
      write: async (items) => {
        if (calls++ === 1) throw new Error("all");
        return items.map((item) => (item === 2 ? new Error("two") : item));
      },
      maxItems: 10,
    });
    expect(await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)))).toMatchObject([
      { value: 1 },
      { reason: { message: "two" } },
      { value: 3 },
    ]);
    expect(await Promise.allSettled([1, 2].map((item) => batcher.add(item)))).toMatchObject([
      { reason: { message: "all" } },
      { reason: { message: "all" } },
    ]);
    expect(await batcher.add(4)).toBe(4);
  });

  it("waits for company when it may, but not when a batch is full or is asked to drain", async () => {
    const { batches, write } = controlled();
    const batcher = new Batcher({ write, maxItems: 2, waitMs: 3_600_000 });
    void batcher.add(1);
    await turn();
    expect(batches).toHaveLength(0);
    void batcher.add(2);
    await turn();
    expect(batches.map((batch) => batch.items)).toEqual([[1, 2]]);
    void batcher.add(3);
    const drained = batcher.drain();
    batches[0]!.finish();
    await turn();
    expect(batches.map((batch) => batch.items)).toEqual([[1, 2], [3]]);
    batches[1]!.finish();
    await drained;
    await batcher.drain();
  });
});
