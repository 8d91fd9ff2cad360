import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Budget, type BudgetReservation, type CallEstimate } from "./budget.ts";

const NEVER = new AbortController().signal;
const NOTHING = { costNanoUsd: 0, tokens: 0 };

function cost(costNanoUsd: number): CallEstimate {
  return { costNanoUsd, tokens: 1 };
}

/** Everything that is due in this turn of the event loop has happened. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The reservation once it is made, the error once it is refused, or "waiting". */
async function stateOf(reservation: Promise<BudgetReservation>): Promise<BudgetReservation | Error | "waiting"> {
  let state: BudgetReservation | Error | "waiting" = "waiting";
  reservation.then(
    (made) => {
      state = made;
    },
    (error) => {
      state = error;
    },
  );
  await settled();
  return state;
}

describe("a budget", () => {
  it("lets a call wait that does not fit beside those under way, and go when they turn out cheaper", async () => {
    const budget = new Budget("main", { costNanoUsd: 100 }, NOTHING, null);
    const first = await budget.reserve(cost(60), NEVER);
    const second = budget.reserve(cost(60), NEVER);
    expect(await stateOf(second)).toBe("waiting");
    first.settle({ costNanoUsd: 40, tokens: 1 });
    expect(await stateOf(second)).toMatchObject({ estimate: cost(60) });
  });

  it("refuses a call that does not fit when nothing is under way, and says all four amounts", async () => {
    const budget = new Budget("main", { costNanoUsd: 50_000_000 }, { costNanoUsd: 40_000_000, tokens: 10 }, null);
    await expect(budget.reserve(cost(12_500_000), NEVER)).rejects.toMatchObject({
      code: "limit-exceeded",
      message: expect.stringMatching(
        /^limits\.costUsd of main is \$0\.05: \$0\.04 spent, \$0 reserved .* up to \$0\.0125\. Raise the limit, or lower /,
      ),
    });
    const tokens = new Budget("main", { tokens: 10 }, NOTHING, null);
    await expect(tokens.reserve({ costNanoUsd: null, tokens: 11 }, NEVER)).rejects.toMatchObject({
      message: expect.stringMatching(/^limits\.tokens of main is 10 tokens: 0 tokens spent, .* up to 11 tokens\./),
    });
  });

  it("refuses who waits as soon as it is clear that nothing will be left", async () => {
    const budget = new Budget("main", { costNanoUsd: 100 }, NOTHING, null);
    const first = await budget.reserve(cost(60), NEVER);
    const second = budget.reserve(cost(60), NEVER);
    expect(await stateOf(second)).toBe("waiting");
    first.settle({ costNanoUsd: 60, tokens: 1 });
    expect(await stateOf(second)).toMatchObject({ code: "limit-exceeded" });
  });

  it("frees what was kept for a call that was never made, once", async () => {
    const budget = new Budget("main", { costNanoUsd: 100 }, NOTHING, null);
    const first = await budget.reserve(cost(100), NEVER);
    first.release();
    first.release();
    const second = await budget.reserve(cost(100), NEVER);
    second.settle({ costNanoUsd: 100, tokens: 1 });
    second.release();
    await expect(budget.reserve(cost(1), NEVER)).rejects.toMatchObject({ code: "limit-exceeded" });
  });

  it("counts for all budgets around it, and the tightest decides", async () => {
    const outer = new Budget("outer", { costNanoUsd: 100 }, NOTHING, null);
    const left = new Budget("left", { costNanoUsd: 80 }, NOTHING, outer);
    const right = new Budget("right", { tokens: 5 }, NOTHING, outer);
    (await left.reserve(cost(70), NEVER)).settle({ costNanoUsd: 70, tokens: 1 });
    await expect(left.reserve(cost(20), NEVER)).rejects.toThrow("limits.costUsd of left");
    await expect(right.reserve(cost(40), NEVER)).rejects.toThrow("limits.costUsd of outer");
    await expect(right.reserve({ costNanoUsd: 1, tokens: 6 }, NEVER)).rejects.toThrow("limits.tokens of right");
  });

  it("needs a price where cost is limited, by whichever budget, and nowhere else", async () => {
    const unpriced = { costNanoUsd: null, tokens: 1 };
    const outer = new Budget("outer", { costNanoUsd: 100 }, NOTHING, null);
    await expect(new Budget("inner", { tokens: 10 }, NOTHING, outer).reserve(unpriced, NEVER)).rejects.toMatchObject({
      code: "unknown-price",
    });
    await new Budget("tokens", { tokens: 10 }, NOTHING, null).reserve(unpriced, NEVER);
  });

  it("lets an abort end the waiting, and keeps nothing for it", async () => {
    const budget = new Budget("main", { costNanoUsd: 100 }, NOTHING, null);
    const first = await budget.reserve(cost(100), NEVER);
    const abort = new AbortController();
    const second = budget.reserve(cost(100), abort.signal);
    abort.abort(new Error("stop"));
    await expect(second).rejects.toThrow("stop");
    first.settle({ costNanoUsd: 0, tokens: 1 });
    await budget.reserve(cost(100), NEVER);
  });
});

interface Call {
  estimate: number;
  /** Of the estimate; above 1 the answer is longer than expected. */
  share: number;
  ticks: number;
  /** The call is given up before it is made. */
  dropped: boolean;
}
interface Tree {
  limit: number | null;
  parallel: boolean;
  parts: (Tree | Call)[];
}

const call = (most: number) =>
  fc.record({
    estimate: fc.integer({ min: 1, max: 100 }),
    share: fc.constantFrom(0, 0.5, 1, most),
    ticks: fc.integer({ min: 0, max: 5 }),
    dropped: fc.constantFrom(false, false, false, true),
  });
const trees = (most: number) =>
  fc.letrec<{ tree: Tree; part: Tree | Call }>((tie) => ({
    tree: fc.record({
      limit: fc.option(fc.integer({ min: 0, max: 400 })),
      parallel: fc.boolean(),
      parts: fc.array(tie("part"), { minLength: 1, maxLength: 6 }),
    }),
    part: fc.oneof({ maxDepth: 3, depthIdentifier: "tree" }, call(most), tie("tree")),
  })).tree;

interface Ledger {
  limit: number;
  spent: number;
  excess: number;
}

/** Walks the tree as the engine does, each refused call leaving the others alone. Returns every budget's own count. */
async function walk(tree: Tree): Promise<{ ledgers: Ledger[]; made: number; refused: number }> {
  const ledgers: Ledger[] = [];
  let made = 0;
  let refused = 0;
  const ticks = async (count: number) => {
    for (let i = 0; i < count; i++) await Promise.resolve();
  };
  const visit = async (part: Tree | Call, budget: Budget | null, around: Ledger[]): Promise<void> => {
    if ("parts" in part) {
      let [inner, counted] = [budget, around];
      if (part.limit !== null) {
        inner = new Budget("flow", { costNanoUsd: part.limit }, NOTHING, budget);
        const ledger = { limit: part.limit, spent: 0, excess: 0 };
        ledgers.push(ledger);
        counted = [...around, ledger];
      }
      const visits = part.parts.map((child) => () => visit(child, inner, counted));
      if (part.parallel) await Promise.all(visits.map((go) => go()));
      else for (const go of visits) await go();
      return;
    }
    const reservation = await budget?.reserve(cost(part.estimate), NEVER).catch(() => null);
    if (reservation === null) {
      refused++;
      return;
    }
    await ticks(part.ticks);
    if (part.dropped) return reservation?.release();
    made++;
    const actual = Math.floor(part.estimate * part.share);
    for (const ledger of around) {
      ledger.spent += actual;
      ledger.excess += Math.max(0, actual - part.estimate);
    }
    reservation?.settle({ costNanoUsd: actual, tokens: 1 });
  };
  await visit(tree, null, []);
  return { ledgers, made, refused };
}

const callsIn = (part: Tree | Call): Call[] => ("parts" in part ? part.parts.flatMap(callsIn) : [part]);

describe("whatever runs beside and inside each other", () => {
  it("no limit is ever passed when no answer costs more than was estimated, and everybody gets an answer", async () => {
    await fc.assert(
      fc.asyncProperty(trees(1), async (tree) => {
        const { ledgers, made, refused } = await walk(tree);
        for (const { limit, spent } of ledgers) expect(spent).toBeLessThanOrEqual(limit);
        const dropped = callsIn(tree).filter((part) => part.dropped).length;
        expect(made + refused).toBeGreaterThanOrEqual(callsIn(tree).length - dropped);
      }),
      { numRuns: 2_000 },
    );
  });

  it("a limit is passed at most by what answers exceeded their own estimates", async () => {
    await fc.assert(
      fc.asyncProperty(trees(3), async (tree) => {
        for (const { limit, spent, excess } of (await walk(tree)).ledgers) expect(spent).toBeLessThanOrEqual(limit + excess);
      }),
      { numRuns: 2_000 },
    );
  });
});
