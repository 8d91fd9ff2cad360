import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { describeEachDatabase, type OpenDatabase } from "../../test/support/describe-each-database.ts";
import { attemptEnd, attemptStart, claimOnly, endRun, newRun, step, submitAndClaim } from "../../test/support/store-fixtures.ts";
import type { Database } from "./database/index.ts";
import { openStore, type Prunable, type Store } from "./index.ts";

const DAY_MS = 86_400_000;

describeEachDatabase("retention", (open: OpenDatabase, kind) => {
  let database: Database;
  let store: Store;
  const opened: Store[] = [];
  beforeEach(async () => {
    database ??= await open();
    store ??= await openStore({ database });
    if (opened.length === 0) opened.push(store);
    for (const table of [
      "run",
      "step",
      "attempt",
      "wait",
      "webhook_delivery",
      "webhook_attempt",
      "cost_rollup",
      "retention_sweep",
      "retention_later",
    ])
      await database.query(`DELETE FROM flow_run.${table}`);
    await database.query("DELETE FROM pgboss.job");
  }, 60_000);
  afterAll(async () => {
    for (const one of opened) await one.close();
  });

  /** A run with one step, two calls (the second without a known price) and its end; then as if all of it were so many days older. */
  async function ranDaysAgo(days: number, over: Parameters<typeof newRun>[0] = {}): Promise<string> {
    const run = await submitAndClaim(store, over);
    const journal = store.journal(run);
    journal.appendAttemptStart(attemptStart(`${run.id}_1`));
    journal.appendAttemptStart(attemptStart(`${run.id}_2`, { number: 2, model: "other" }));
    await journal.commit();
    journal.appendAttemptEnd(attemptEnd(`${run.id}_1`));
    journal.appendAttemptEnd(
      attemptEnd(`${run.id}_2`, {
        status: "failed",
        usage: null,
        costNanoUsd: null,
        error: { code: "bad-answer", message: "about Mr Smith", retryable: false },
      }),
    );
    journal.appendStep(step("draft", { status: "failed", error: { code: "x", message: "of Mr Smith", step: "draft", retryable: true } }));
    journal.appendEnd({ status: "failed", output: null, error: { code: "x", message: "Mr Smith", step: "draft", retryable: true } });
    await journal.commit();
    await age(run.id, days);
    return run.id;
  }

  async function age(id: string, days: number): Promise<void> {
    const back = `interval '${days} days'`;
    await database.query(
      `UPDATE flow_run.run SET created_at = created_at - ${back}, started_at = started_at - ${back}, finished_at = finished_at - ${back} WHERE id = $1`,
      [id],
    );
    await database.query(
      `UPDATE flow_run.webhook_delivery SET created_at = created_at - ${back}, finished_at = finished_at - ${back} WHERE run_id = $1`,
      [id],
    );
  }

  /** Looks until there is nothing more, in pages of two. Returns how many were pruned. */
  async function prune(what: Prunable, days: number): Promise<number> {
    for (let pruned = 0; ; ) {
      const page = await store.retention.prune(what, "dev", days * DAY_MS, 2);
      pruned += page!.pruned;
      if (page!.seen < 2) return pruned;
    }
  }

  const count = async (table: string) =>
    (await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM flow_run.${table}`))[0]!.count;
  const costs = (groupBy: Parameters<Store["costs"]["report"]>[0]["groupBy"]) =>
    store.costs.report({ environment: "dev", groupBy, from: "2020-01-01", to: null });

  describe("of contents", () => {
    it("takes inputs, outputs and messages, and leaves status, usage and cost", async () => {
      const old = await ranDaysAgo(8);
      const young = await ranDaysAgo(6);
      const before = await store.getRun("dev", old);
      const youngBefore = [await store.getRun("dev", young), await store.listSteps("dev", young)];
      expect(await prune("contents", 7)).toBe(1);
      const after = await store.getRun("dev", old);
      expect(after).toEqual({
        ...before,
        input: null,
        output: null,
        error: { code: "x", message: expect.stringContaining("removed"), step: "draft", retryable: true },
        contentsPrunedAt: expect.any(String),
      });
      const steps = await store.listSteps("dev", old);
      expect(steps).toMatchObject([{ path: "draft", status: "failed", input: null, output: null }]);
      expect(steps![0]!.attempts.map(({ costUsd, usage }) => [costUsd, usage?.inputTokens])).toEqual([
        [0.0000015, 100],
        [null, undefined],
      ]);
      expect(JSON.stringify([after, steps])).not.toMatch(/Smith|broken|"a":1/);
      expect([await store.getRun("dev", young), await store.listSteps("dev", young)]).toEqual(youngBefore);
      expect(await prune("contents", 7)).toBe(0);
    });
  });

  describe("of runs", () => {
    it("takes those that ended long ago, with all that belongs to them, and no others", async () => {
      const old = [await ranDaysAgo(31), await ranDaysAgo(40), await ranDaysAgo(35)];
      const young = await ranDaysAgo(29);
      const unfinished = await submitAndClaim(store);
      await age(unfinished.id, 50);
      const elsewhere = await ranDaysAgo(60, { environment: "prod" });
      expect(await prune("runs", 30)).toBe(3);
      for (const id of old) {
        expect(await store.getRun("dev", id)).toBeNull();
        expect(await store.listSteps("dev", id)).toBeNull();
      }
      expect((await store.listRuns({ environment: "dev" })).runs.map((run) => run.id).sort()).toEqual([young, unfinished.id].sort());
      expect(await store.getRun("prod", elsewhere)).not.toBeNull();
      expect([await count("run"), await count("step"), await count("attempt")]).toEqual([3, 2, 4]);
    });

    it("comes back to what was not over when its turn came", async () => {
      const late = await submitAndClaim(store);
      await age(late.id, 50);
      await ranDaysAgo(49);
      expect(await prune("runs", 30)).toBe(1);
      await endRun(store, late);
      await database.query("UPDATE flow_run.run SET finished_at = now() - interval '31 days' WHERE id = $1", [late.id]);
      await database.query("UPDATE flow_run.retention_later SET due_at = now()");
      expect(await prune("runs", 30)).toBe(1);
      expect(await count("run")).toBe(0);
      expect(await count("retention_later")).toBe(0);
    });

    it("leaves a run alone whose webhook is still to be delivered", async () => {
      const run = await submitAndClaim(store, { webhook: { url: "https://example.com/hook", includeOutput: true } });
      await endRun(store, run);
      await age(run.id, 40);
      expect([await prune("contents", 1), await prune("runs", 30), await prune("deliveries", 30)]).toEqual([0, 0, 0]);
      expect((await store.getRun("dev", run.id))!.output).toEqual({ ok: true });
      await database.query("UPDATE flow_run.webhook_delivery SET status = 'exhausted', finished_at = now() - interval '31 days'");
      await database.query("UPDATE flow_run.retention_later SET due_at = now()");
      expect(await prune("deliveries", 30)).toBe(1);
      expect(await prune("runs", 30)).toBe(1);
      expect([await count("run"), await count("webhook_delivery")]).toEqual([0, 0]);
    });

    it("keeps idempotency keys for 7 days, also when the run is gone for everybody", async () => {
      const young = newRun({ idempotencyKey: "young" });
      const old = newRun({ idempotencyKey: "old" });
      for (const [run, days] of [
        [young, 2],
        [old, 8],
      ] as const) {
        await store.submitRun(run);
        await endRun(store, await claimOnly(store, run.id));
        await age(run.id, days);
      }
      expect(await prune("runs", 1)).toBe(2);
      for (const { id } of [young, old]) expect(await store.getRun("dev", id)).toBeNull();
      expect((await store.listRuns({ environment: "dev" })).runs).toEqual([]);
      const again = await store.submitRun({ ...newRun(), idempotencyKey: "young" });
      expect([again.replayed, again.run.id]).toEqual([true, young.id]);
      expect((await store.submitRun({ ...newRun(), idempotencyKey: "old" })).replayed).toBe(false);

      expect(await store.retention.pruneKeys("dev", 10)).toEqual({ seen: 0, pruned: 0 });
      await database.query("UPDATE flow_run.retention_later SET due_at = now() WHERE what = 'keys'");
      expect(await store.retention.pruneKeys("dev", 10)).toEqual({ seen: 1, pruned: 1 });
      expect((await store.submitRun({ ...newRun(), idempotencyKey: "young" })).replayed).toBe(false);
    });

    it("is done by one process at a time, and each cost is added up once", async () => {
      for (let index = 0; index < 12; index++) await ranDaysAgo(40);
      const before = await costs(["flow", "model"]);
      const looks: Promise<unknown>[] = [];
      for (let index = 0; index < 40; index++) looks.push(store.retention.prune("runs", "dev", 30 * DAY_MS, 1));
      await Promise.all(looks);
      await prune("runs", 30);
      expect(await count("attempt")).toBe(0);
      expect(await costs(["flow", "model"])).toEqual(before);
    });
  });

  it.runIf(kind === "postgres")("is all or nothing when its session ends in the middle", async () => {
    const id = await ranDaysAgo(40);
    const before = [await costs(["flow", "model", "day"]), await store.getRun("dev", id), await store.listSteps("dev", id)];
    // The run's rows are gone for the statement when it comes to the rollups, has to wait, and its session ends.
    const locked = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const ending = database.transaction(async (tx) => {
      await tx.query("LOCK TABLE flow_run.cost_rollup IN EXCLUSIVE MODE");
      locked.resolve();
      await begun.promise;
      const waiting = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'flow_run.cost_rollup'::regclass AND NOT granted";
      while ((await tx.query(waiting)).length === 0);
    });
    await locked.promise;
    const page = store.retention.prune("runs", "dev", 30 * DAY_MS, 10).catch((error) => error);
    begun.resolve();
    await ending;
    expect(await page).toMatchObject({ code: "database-unavailable" });
    expect([await costs(["flow", "model", "day"]), await store.getRun("dev", id), await store.listSteps("dev", id)]).toEqual(before);
    expect(await prune("runs", 30)).toBe(1);
    expect(await costs(["flow", "model", "day"])).toEqual(before[0]);
  });

  describe("of costs", () => {
    it("none: whatever was pruned and whatever not, the sums are those of all attempts", { timeout: 120_000 }, async () => {
      const runs = fc.array(
        fc.record({
          flow: fc.constantFrom("triage", "reply"),
          release: fc.integer({ min: 1, max: 2 }),
          days: fc.integer({ min: 0, max: 5 }),
          keyed: fc.boolean(),
          calls: fc.array(
            fc.record({
              model: fc.constantFrom("small", "large"),
              cost: fc.option(fc.integer({ min: 0, max: 2_000_000_000 })),
              ends: fc.boolean(),
            }),
            { maxLength: 3 },
          ),
        }),
        { minLength: 1, maxLength: 6 },
      );
      const groupings = [
        [],
        ["flow"],
        ["flow", "model"],
        ["day", "release"],
        ["provider"],
        ["model", "day", "flow", "release", "provider"],
      ] as const;
      await fc.assert(
        fc.asyncProperty(runs, fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }), async (made, keeps) => {
          for (const table of ["run", "step", "attempt", "cost_rollup", "retention_sweep", "retention_later"])
            await database.query(`DELETE FROM flow_run.${table}`);
          const expected = { calls: 0, unpriced: 0, nano: 0 };
          for (const { flow, release, days, keyed, calls } of made) {
            const run = await submitAndClaim(store, { flow, release, idempotencyKey: keyed ? crypto.randomUUID() : null });
            const journal = store.journal(run);
            for (const [index, { model }] of calls.entries())
              journal.appendAttemptStart(attemptStart(`a${index}`, { model, number: index + 1 }));
            await journal.commit();
            for (const [index, { cost, ends }] of calls.entries()) {
              if (ends)
                journal.appendAttemptEnd(
                  attemptEnd(`a${index}`, cost === null ? { usage: null, costNanoUsd: null } : { costNanoUsd: cost }),
                );
              expected.calls++;
              if (ends && cost !== null) expected.nano += cost;
              else expected.unpriced++;
            }
            await journal.commit();
            // A cancel gives up what has not ended.
            await store.cancelRun("dev", run.id);
            await database.query(
              "UPDATE flow_run.attempt SET given_up_at = given_up_at - interval '1 day', started_at = now() - interval '1 day'",
            );
            await age(run.id, days);
          }
          const before = await Promise.all(groupings.map((groupBy) => costs(groupBy)));
          for (const report of before) {
            expect(report.total).toMatchObject({ unpricedCalls: expected.unpriced, pricedCostUsd: expected.nano / 1e9 });
            expect(report.total.usage.calls).toBe(expected.calls);
            expect(report.total.costUsd).toBe(expected.unpriced > 0 ? null : expected.nano / 1e9);
          }
          for (const keep of keeps) await prune("runs", Math.max(keep, 0.0001));
          expect(await Promise.all(groupings.map((groupBy) => costs(groupBy)))).toEqual(before);
        }),
        { numRuns: 12 },
      );
    });

    it("tells runs, calls and money by what is asked for, for the days that are asked for", async () => {
      await ranDaysAgo(3, { flow: "reply", release: 2 });
      await ranDaysAgo(3);
      await ranDaysAgo(5);
      const today = new Date();
      const day = (ago: number) => new Date(today.getTime() - ago * DAY_MS).toISOString().slice(0, 10);
      const report = await store.costs.report({ environment: "dev", groupBy: ["day", "flow"], from: day(4), to: day(2) });
      expect(report).toMatchObject({ environment: "dev", groupBy: ["day", "flow"], from: day(4), to: day(2), truncated: false });
      expect(
        report.costs.map(({ day, flow, runs, costUsd, pricedCostUsd, unpricedCalls, usage }) => [
          day,
          flow,
          runs,
          costUsd,
          pricedCostUsd,
          unpricedCalls,
          usage.calls,
        ]),
      ).toEqual([
        [day(3), "reply", 1, null, 0.0000015, 1, 2],
        [day(3), "triage", 1, null, 0.0000015, 1, 2],
      ]);
      const byModel = await store.costs.report({ environment: "dev", groupBy: ["model"], from: null, to: null });
      expect(byModel.from).toBe(day(29));
      expect(byModel.costs.map(({ model, runs, costUsd, usage }) => [model, runs, costUsd, usage.calls])).toEqual([
        ["simulator", null, 0.0000045, 3],
        ["other", null, null, 3],
      ]);
      const nothing = await store.costs.report({ environment: "empty", groupBy: ["flow"], from: null, to: null });
      expect(nothing).toMatchObject({ costs: [], total: { runs: 0, costUsd: 0, unpricedCalls: 0 } });
    });
  });
});
