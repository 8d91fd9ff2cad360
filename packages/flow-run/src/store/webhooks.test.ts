import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import {
  attemptEnd,
  attemptStart,
  claimOnly,
  endRun,
  expireLease,
  newRun,
  step,
  submitAndClaim,
} from "../../test/support/store-fixtures.ts";
import type { Database } from "./database/index.ts";
import { type ClaimedDelivery, type DeliveryOutcome, openStore, type Store } from "./index.ts";

const NOBODY = new Map<string, number>();

describeEachDatabase("webhook deliveries", (open) => {
  let database: Database;
  let store: Store;

  beforeAll(async () => {
    database = await open();
    store = await openStore({ database });
  });
  afterAll(() => store.close());

  const webhook = (path = "/hook") => ({ url: `https://example.com${path}`, includeOutput: false });
  const deliveriesOf = async (run: string) => (await store.webhooks.list({ environment: "dev", run })).deliveries;
  const claim = (limit = 100, perEndpoint = 100, underWay: ReadonlyMap<string, number> = NOBODY) =>
    store.webhooks.claim({ limit, perEndpoint, underWay });
  const settle = (delivery: ClaimedDelivery, next: DeliveryOutcome["next"], status = 500) =>
    store.webhooks.settle({
      id: delivery.id,
      attempt: delivery.attempt,
      made: { durationMs: 7, status, error: status < 300 ? null : `The endpoint answered ${status}.`, answer: "text" },
      next,
    });
  /** Ends a run with a webhook and claims its delivery. */
  async function due(path: string): Promise<ClaimedDelivery> {
    await endRun(store, await submitAndClaim(store, { webhook: webhook(path) }));
    const claimed = await claim();
    expect(claimed).toHaveLength(1);
    return claimed[0]!;
  }
  const makeDue = (id: string) => database.query("UPDATE flow_run.webhook_delivery SET next_attempt_at = now() WHERE id = $1", [id]);
  /** Nothing is pending any more, so that tests do not meet each other's deliveries. */
  const clear = () =>
    database.query(
      "UPDATE flow_run.webhook_delivery SET status = 'delivered', leased_until = NULL, finished_at = now() WHERE status = 'pending'",
    );

  it("are written with the end, and not before it", async () => {
    const run = await submitAndClaim(store, { webhook: webhook() });
    const journal = store.journal(run);
    journal.appendStep(step("a"));
    journal.appendAttemptStart(attemptStart("att_1"));
    await journal.commit();
    expect(await deliveriesOf(run.id)).toEqual([]);
    const told = new Promise<void>((resolve) => {
      const stop = store.webhooks.onDue(() => {
        stop();
        resolve();
      });
    });
    journal.appendAttemptEnd(attemptEnd("att_1"));
    journal.appendEnd({ status: "failed", output: null, error: { code: "x", message: "y", step: "a", retryable: false } });
    await journal.commit();
    await told;
    expect(await deliveriesOf(run.id)).toMatchObject([
      { id: `msg_${run.id}`, run: run.id, url: "https://example.com/hook", status: "pending" },
    ]);
    await clear();
  });

  it("are not written for runs without a webhook", async () => {
    const run = await submitAndClaim(store);
    await endRun(store, run);
    const { run: cancelled } = await store.submitRun(newRun());
    await store.cancelRun("dev", cancelled.id);
    expect([...(await deliveriesOf(run.id)), ...(await deliveriesOf(cancelled.id))]).toEqual([]);
  });

  it("are written by a cancel", async () => {
    const { run } = await store.submitRun(newRun({ webhook: webhook() }));
    await store.cancelRun("dev", run.id);
    expect(await deliveriesOf(run.id)).toHaveLength(1);
    expect((await claim()).map((one) => one.run.status)).toEqual(["cancelled"]);
    await clear();
  });

  it("are written for a run that kills its workers", async () => {
    const { run } = await store.submitRun(newRun({ webhook: webhook() }));
    for (let i = 0; i < 5; i++) {
      await claimOnly(store, run.id);
      await expireLease(database, run.id);
    }
    expect(await store.claimRuns(10)).toEqual([]);
    expect((await claim()).map((one) => [one.run.id, one.run.status, one.run.error?.code])).toEqual([[run.id, "failed", "poisoned"]]);
    await clear();
  });

  it("are not written by an owner who was fenced, and once by the one after him", async () => {
    const first = await submitAndClaim(store, { webhook: webhook() });
    await expireLease(database, first.id);
    const second = await claimOnly(store, first.id);
    await expect(endRun(store, first)).rejects.toMatchObject({ code: "fenced" });
    expect(await deliveriesOf(first.id)).toEqual([]);
    await endRun(store, second);
    await endRun(store, second).catch(() => {});
    expect(await deliveriesOf(first.id)).toHaveLength(1);
    await clear();
  });

  it("are exactly one a run, whatever meets at its end, and tell the state that stayed", async () => {
    for (let i = 0; i < 10; i++) {
      const run = await submitAndClaim(store, { webhook: webhook(`/race?${i}`) });
      await Promise.allSettled([endRun(store, run), store.cancelRun("dev", run.id), endRun(store, run)]);
      expect(await deliveriesOf(run.id)).toHaveLength(1);
      const [claimed] = await claim();
      expect(claimed?.run).toEqual(await store.getRun("dev", run.id));
      await settle(claimed!, { status: "delivered" }, 200);
    }
  });

  it("are one for a run that was submitted twice with the same key", async () => {
    const idempotencyKey = "twice";
    const [a, b] = await Promise.all([1, 2].map(() => store.submitRun(newRun({ idempotencyKey, webhook: webhook() }))));
    expect(a!.run.id).toBe(b!.run.id);
    await endRun(store, await claimOnly(store, a!.run.id));
    expect(await deliveriesOf(a!.run.id)).toHaveLength(1);
    await clear();
  });

  it("have one taker at a time, and are due again when a taker is silent for longer than its lease", async () => {
    const first = await due("/lease");
    expect(first).toMatchObject({ attempt: 1, seriesAttempt: 1, disabled: false });
    expect(await claim()).toEqual([]);
    await database.query("UPDATE flow_run.webhook_delivery SET next_attempt_at = next_attempt_at - interval '30 seconds' WHERE id = $1", [
      first.id,
    ]);
    const [second] = await claim();
    expect(second).toMatchObject({ id: first.id, attempt: 2, seriesAttempt: 2 });
    // The first taker wakes up: what became of his attempt is kept, and decides nothing.
    await settle(first, { status: "delivered" }, 204);
    expect(await store.webhooks.get("dev", first.id)).toMatchObject({
      status: "pending",
      attempts: [{ status: 204 }, { status: null, durationMs: null }],
    });
    await settle(second!, { status: "exhausted" });
    expect(await store.webhooks.get("dev", first.id)).toMatchObject({
      status: "exhausted",
      nextAttemptAt: null,
      attempts: [{ status: 204 }, { status: 500 }],
    });
  });

  it("are never taken twice by takers of the same moment", async () => {
    for (let i = 0; i < 20; i++) await endRun(store, await submitAndClaim(store, { webhook: webhook(`/many/${i % 3}`) }));
    const taken = (await Promise.all(Array.from({ length: 8 }, () => claim(5)))).flat().concat(await claim());
    expect(taken).toHaveLength(20);
    expect(new Set(taken.map((one) => one.id)).size).toBe(20);
    await clear();
  });

  it("of one endpoint leave room for those of others", async () => {
    for (let i = 0; i < 6; i++) await endRun(store, await submitAndClaim(store, { webhook: webhook(`/slow?run=${i}`) }));
    await endRun(store, await submitAndClaim(store, { webhook: webhook("/quick") }));
    const first = await claim(100, 2);
    expect(first.map((one) => one.endpoint).toSorted()).toEqual([
      "https://example.com/quick",
      "https://example.com/slow",
      "https://example.com/slow",
    ]);
    expect(await claim(100, 2, new Map([["https://example.com/slow", 2]]))).toEqual([]);
    expect(await claim(100, 2, new Map([["https://example.com/slow", 1]]))).toHaveLength(1);
    await clear();
  });

  it("are tried again after the pause that was asked for, by the database's clock", async () => {
    const delivery = await due("/retry");
    await settle(delivery, { status: "retry", afterMs: 300_000 });
    expect(await claim()).toEqual([]);
    const [row] = await database.query<{ seconds: number }>(
      "SELECT extract(epoch FROM next_attempt_at - now())::float8 AS seconds FROM flow_run.webhook_delivery WHERE id = $1",
      [delivery.id],
    );
    expect(row!.seconds).toBeGreaterThan(290);
    expect(row!.seconds).toBeLessThanOrEqual(300);
    await makeDue(delivery.id);
    const [again] = await claim();
    expect(again).toMatchObject({ id: delivery.id, attempt: 2, seriesAttempt: 2 });
    await settle(again!, { status: "retry", afterMs: 0, uncounted: true });
    expect(await claim()).toMatchObject([{ attempt: 3, seriesAttempt: 2 }]);
    await clear();
  });

  it("of an endpoint that is gone end as disabled, those that wait and those to come, until one is replayed", async () => {
    const gone = await due("/gone");
    const { run: waiting } = await store.submitRun(newRun({ webhook: webhook("/gone") }));
    await store.cancelRun("dev", waiting.id);
    const { run: elsewhere } = await store.submitRun(newRun({ webhook: webhook("/gone"), environment: "prod" }));
    await store.cancelRun("prod", elsewhere.id);
    await settle(gone, { status: "disabled", gone: true }, 410);
    expect(await deliveriesOf(waiting.id)).toMatchObject([{ status: "disabled" }]);
    await endRun(store, await submitAndClaim(store, { webhook: webhook("/gone") }));
    const claimed = await claim();
    expect(claimed.map((one) => [one.run.environment, one.disabled]).toSorted()).toEqual([
      ["dev", true],
      ["prod", false],
    ]);
    const late = claimed.find((one) => one.disabled)!;
    await store.webhooks.settle({ id: late.id, attempt: late.attempt, made: null, next: { status: "disabled", gone: false } });
    expect(await store.webhooks.get("dev", late.id)).toMatchObject({ status: "disabled", attemptCount: 0, attempts: [] });
    await clear();

    expect(await store.webhooks.replay("dev", gone.id)).toMatchObject({ id: gone.id, status: "pending", attemptCount: 1 });
    expect(await claim()).toMatchObject([{ id: gone.id, disabled: false, attempt: 2, seriesAttempt: 1 }]);
    // Under way: a replay does not begin a second attempt beside the first.
    expect(await store.webhooks.replay("dev", gone.id)).toMatchObject({ status: "pending", attemptCount: 2 });
    expect(await claim()).toEqual([]);
    expect(await store.webhooks.replay("prod", gone.id)).toBeNull();
    await clear();
  });

  it("of a time are replayed together, those that failed unless others are asked for", async () => {
    await clear();
    const environment = "range";
    const ids: string[] = [];
    for (const status of ["exhausted", "delivered"] as const) {
      const { run } = await store.submitRun(newRun({ environment, webhook: webhook(`/${status}`) }));
      await store.cancelRun(environment, run.id);
      const [claimed] = await claim();
      ids.push(claimed!.id);
      await settle(claimed!, { status });
    }
    const failed = { environment, from: "2020-01-01T00:00:00Z", to: null, statuses: ["exhausted", "disabled"] as const };
    expect(await store.webhooks.replayRange({ ...failed, from: "2999-01-01T00:00:00Z" })).toBe(0);
    expect(await store.webhooks.replayRange({ ...failed, to: "2020-01-02T00:00:00Z" })).toBe(0);
    expect(await store.webhooks.replayRange({ ...failed, environment: "other" })).toBe(0);
    expect(await store.webhooks.replayRange(failed)).toBe(1);
    expect(await claim()).toMatchObject([{ id: ids[0] }]);
    expect(await store.webhooks.replayRange({ ...failed, statuses: ["delivered"] })).toBe(1);
    await clear();
  });

  it("are listed newest first, a page at a time", async () => {
    const environment = "listed";
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      const { run } = await store.submitRun(newRun({ environment, webhook: webhook() }));
      await store.cancelRun(environment, run.id);
      ids.unshift(`msg_${run.id}`);
    }
    const seen: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await store.webhooks.list({ environment, limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.deliveries.map((one) => one.id));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(ids);
    expect((await store.webhooks.list({ environment, status: "delivered" })).deliveries).toEqual([]);
    await expect(store.webhooks.list({ environment, cursor: "x" })).rejects.toMatchObject({ code: "invalid-cursor" });
    await clear();
  });

  it("that an embedded database's former process was sending are due at once", async () => {
    const delivery = await due("/reopened");
    const again = await openStore({ database, onlyProcess: true });
    expect(await claim()).toMatchObject([{ id: delivery.id, attempt: 2 }]);
    await again.close();
    await clear();
  });

  it("have one secret, made once, and two after a rotation until the old one is over", async () => {
    const { webhooks } = store;
    expect(await webhooks.findSecret("s")).toBeNull();
    expect(await webhooks.rotateSecret("s", "x", 60)).toBeNull();
    const kept = await Promise.all(["a", "b", "c"].map((sealed) => webhooks.keepSecret("s", sealed)));
    expect(new Set(kept.map((one) => one.current)).size).toBe(1);
    const rotated = await webhooks.rotateSecret("s", "new", 60);
    expect(rotated).toEqual({ current: "new", previous: { sealed: kept[0]!.current, validUntil: expect.any(String) } });
    await database.query("UPDATE flow_run.webhook_secret SET previous_until = now() - interval '1 second' WHERE environment = 's'");
    expect(await webhooks.findSecret("s")).toEqual({ current: "new", previous: null });
  });
});
