import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../database/store-unavailable-error.ts";
import { persist, writeAll } from "./write-all.ts";

const forEver = { signal: new AbortController().signal, giveUpAfterMs: Number.POSITIVE_INFINITY };

function databaseError(code: string): Error {
  return Object.assign(new Error(`SQLSTATE ${code}`), { code });
}

describe("writing all items together", () => {
  it("fails exactly the items that the database refuses, whichever they are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 40 }), async (refused) => {
        const written: number[] = [];
        const answers = await writeAll(
          refused.map((_, index) => index),
          async (items) => {
            if (items.some((item) => refused[item])) throw databaseError("22P02");
            written.push(...items);
            return items;
          },
          forEver,
        );
        expect(answers.map((answer) => answer instanceof Error)).toEqual(refused);
        expect(written.sort((a, b) => a - b)).toEqual(refused.flatMap((no, index) => (no ? [] : [index])));
      }),
    );
  });

  it("names a value that cannot be stored, and passes a defect on as it is", async () => {
    const fail = (error: Error) => writeAll([1], () => Promise.reject(error), forEver);
    for (const code of ["22P05", "23514", "54000"]) expect(await fail(databaseError(code))).toMatchObject([{ code: "not-storable" }]);
    expect(await fail(databaseError("42601"))).toMatchObject([{ code: "42601" }]);
  });

  it("repeats a deadlock and a lost connection until they are over, and says so", async () => {
    const errors = [databaseError("40P01"), new StoreUnavailableError("away"), databaseError("40001")];
    const repeats: boolean[] = [];
    const told: unknown[] = [];
    const answer = await persist(
      async (repeated) => {
        repeats.push(repeated);
        const error = errors[repeats.length - 1];
        if (error) throw error;
        return "written";
      },
      { ...forEver, onRetry: (error) => told.push(error) },
    );
    expect(answer).toBe("written");
    expect(repeats).toEqual([false, true, true, true]);
    expect(told).toEqual(errors);
  });

  it("gives up when its time is over, or the store closes", async () => {
    const away = () => Promise.reject(new StoreUnavailableError("away"));
    await expect(persist(away, { ...forEver, giveUpAfterMs: 0 })).rejects.toMatchObject({ code: "database-unavailable" });
    await expect(persist(() => Promise.reject(databaseError("40P01")), { ...forEver, giveUpAfterMs: 0 })).rejects.toMatchObject({
      code: "database-unavailable",
      retryable: true,
    });
    const closing = new AbortController();
    const waiting = persist(away, { ...forEver, signal: closing.signal, onRetry: () => queueMicrotask(() => closing.abort()) });
    await expect(waiting).rejects.toMatchObject({ code: "database-unavailable" });
  });
});
