import { FlowRunError } from "@flow-run/spec";
import { describe, expect, it } from "vitest";
import { recordAttempts } from "../__fixtures__/ended-attempts.ts";
import { ImpatientClock, ManualClock } from "../__fixtures__/manual-clock.ts";
import { fails, hangs, ScriptedProvider, says } from "../__fixtures__/scripted-provider.ts";
import { ModelCallError, type ModelCallErrorCode, type ModelCallErrorOptions } from "../model-call-error.ts";
import { type CallModelOptions, callModel } from "./call-model.ts";
import { createModelLimits } from "./model-limits.ts";

const TIMEOUT_MS = 12_345;

function setUp(providers: { [name: string]: ScriptedProvider }, more: Partial<CallModelOptions> = {}) {
  const clock = new ImpatientClock(TIMEOUT_MS);
  const record = recordAttempts();
  const options: CallModelOptions = {
    targets: Object.keys(providers).map((provider) => ({ provider, model: "m" })),
    providers: (name) => providers[name]!,
    request: { messages: [{ role: "user", content: [{ text: "hello" }] }], config: {} },
    timeoutMs: TIMEOUT_MS,
    retries: 2,
    signal: new AbortController().signal,
    clock,
    random: () => 0.5,
    hooks: record.hooks,
    ...more,
  };
  return { ...record, clock, options };
}

const turnOfTheLoop = () => new Promise((resolve) => setImmediate(resolve));
const error = (code: ModelCallErrorCode, options?: ModelCallErrorOptions) => new ModelCallError(code, code, options);
const broken = (code: ModelCallErrorCode, options?: ModelCallErrorOptions) => fails(error(code, options));

describe("a call", () => {
  it("gives the answer and who gave it, with one attempt on record before the request and one report after", async () => {
    const a = new ScriptedProvider(says("hi"));
    const { options, log, ended } = setUp({ a });
    expect(await callModel(options)).toMatchObject({ text: "hi", provider: "a", model: "m" });
    expect(log).toEqual(["start a/m", "end a/m ok"]);
    expect(ended[0]).toMatchObject({ attemptId: "attempt-1", target: { provider: "a", model: "m" }, answer: { text: "hi" } });
    expect(a.attemptIds).toEqual(["attempt-1"]);
  });

  it("sends nothing before the attempt is on record", async () => {
    const a = new ScriptedProvider(says("hi"));
    let durable!: () => void;
    const { options } = setUp({ a });
    const pending = callModel({
      ...options,
      hooks: { ...options.hooks, attemptStarting: () => new Promise((resolve) => (durable = () => resolve({ attemptId: "x" }))) },
    });
    await Promise.resolve();
    expect(a.requests).toEqual([]);
    durable();
    await pending;
    expect(a.requests).toHaveLength(1);
  });

  it("ends with what the record threw, and sends nothing", async () => {
    const a = new ScriptedProvider(says("hi"));
    const { options, ended } = setUp({ a });
    const fenced = new FlowRunError("fenced", "another owner");
    await expect(callModel({ ...options, hooks: { ...options.hooks, attemptStarting: () => Promise.reject(fenced) } })).rejects.toBe(
      fenced,
    );
    expect(a.requests).toEqual([]);
    expect(ended).toEqual([]);
  });

  it("ends with what making the provider threw, and records no attempt", async () => {
    const missing = new FlowRunError("missing-secret", "no key");
    const { options, log } = setUp({ a: new ScriptedProvider(says("hi")), b: new ScriptedProvider(says("hi")) });
    const providers = () => {
      throw missing;
    };
    await expect(callModel({ ...options, providers })).rejects.toBe(missing);
    expect(log).toEqual([]);
  });

  it("reports an attempt as ended also when the adapter has a defect, which it lets through", async () => {
    const defect = new TypeError("undefined is not a function");
    const { options, log } = setUp({ a: new ScriptedProvider(fails(defect)) });
    await expect(callModel(options)).rejects.toBe(defect);
    expect(log).toEqual(["start a/m", "end a/m bad-answer"]);
  });
});

describe("retries", () => {
  it.each(["provider-unreachable", "provider-timeout", "rate-limited", "provider-error", "bad-answer", "stream-interrupted"] as const)(
    "follow %s, each an attempt of its own",
    async (code) => {
      const { options, log } = setUp({ a: new ScriptedProvider(broken(code), broken(code), says("at last")) });
      expect(await callModel(options)).toMatchObject({ text: "at last" });
      expect(log).toEqual(["start a/m", `end a/m ${code}`, "start a/m", `end a/m ${code}`, "start a/m", "end a/m ok"]);
    },
  );

  it.each(["provider-rejected", "unauthorized", "content-filtered", "answer-too-large"] as const)("do not follow %s", async (code) => {
    const { options, log } = setUp({ a: new ScriptedProvider(broken(code)) });
    await expect(callModel(options)).rejects.toMatchObject({ code });
    expect(log).toHaveLength(2);
  });

  it("end after so many, with the last error", async () => {
    const { options, ended } = setUp({ a: new ScriptedProvider(broken("provider-error"), broken("bad-answer"), broken("rate-limited")) });
    await expect(callModel(options)).rejects.toMatchObject({ code: "rate-limited" });
    expect(ended.map(({ error }) => error!.code)).toEqual(["provider-error", "bad-answer", "rate-limited"]);
  });

  it("wait longer each time, with full jitter, up to a cap", async () => {
    const { options, clock } = setUp({ a: new ScriptedProvider(broken("provider-error")) }, { retries: 9 });
    await expect(callModel(options)).rejects.toBeInstanceOf(ModelCallError);
    expect(clock.slept).toEqual([125, 250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    const eager = setUp({ a: new ScriptedProvider(broken("provider-error")) }, { random: () => 0 });
    await expect(callModel(eager.options)).rejects.toBeInstanceOf(ModelCallError);
    expect(eager.clock.slept).toEqual([0, 0]);
  });

  it("never come earlier than the provider asked", async () => {
    const { options, clock } = setUp({ a: new ScriptedProvider(broken("rate-limited", { retryAfterMs: 7_000 }), says("hi")) });
    await callModel(options);
    expect(clock.slept).toEqual([7_125]);
  });

  it("give way to the fallback when the provider asks for more than a minute", async () => {
    const { options, clock, log } = setUp({
      a: new ScriptedProvider(broken("rate-limited", { retryAfterMs: 61_000 })),
      b: new ScriptedProvider(says("hi")),
    });
    expect(await callModel(options)).toMatchObject({ provider: "b" });
    expect(clock.slept).toEqual([]);
    expect(log).toEqual(["start a/m", "end a/m rate-limited", "start b/m", "end b/m ok"]);
  });

  it("tell the listener that what was streamed is void, and only then", async () => {
    const heard: string[] = [];
    const { options } = setUp({
      a: new ScriptedProvider(broken("provider-error"), fails(error("stream-interrupted"), "half "), says("whole")),
    });
    await callModel({ ...options, onText: (text) => heard.push(text), onRestart: () => heard.push("<restart>") });
    expect(heard).toEqual(["half ", "<restart>", "whole"]);
  });
});

describe("fallbacks", () => {
  it.each([
    ["provider-error", {}],
    ["provider-timeout", {}],
    ["provider-unreachable", { retryable: false }],
    ["rate-limited", {}],
    ["unauthorized", {}],
    ["bad-answer", {}],
    ["provider-rejected", { fallsBack: true, statusCode: 404 }],
  ] as const)("take over after %s %j", async (code, facts) => {
    const { options } = setUp({ a: new ScriptedProvider(broken(code, facts)), b: new ScriptedProvider(says("from b")) });
    expect(await callModel(options)).toMatchObject({ text: "from b", provider: "b" });
  });

  it.each(["provider-rejected", "content-filtered", "answer-too-large"] as const)(
    "do not take over after %s, which they would meet as well",
    async (code) => {
      const b = new ScriptedProvider(says("from b"));
      const { options } = setUp({ a: new ScriptedProvider(broken(code)), b });
      await expect(callModel(options)).rejects.toMatchObject({ code });
      expect(b.requests).toEqual([]);
    },
  );

  it("come in order, each with its own retries, and the last error is thrown", async () => {
    const { options, log } = setUp(
      {
        a: new ScriptedProvider(broken("provider-error")),
        b: new ScriptedProvider(broken("unauthorized")),
        c: new ScriptedProvider(broken("bad-answer")),
      },
      { retries: 1 },
    );
    await expect(callModel(options)).rejects.toMatchObject({ code: "bad-answer" });
    expect(log.filter((line) => line.startsWith("start"))).toEqual(["start a/m", "start a/m", "start b/m", "start c/m", "start c/m"]);
  });
});

describe("time", () => {
  it("is limited for each attempt", async () => {
    const clock = new ManualClock();
    const { options, ended } = setUp({ a: new ScriptedProvider(hangs, says("hi")) }, { clock, random: () => 0 });
    const pending = callModel(options);
    await clock.untilSleeping(TIMEOUT_MS);
    clock.advance(TIMEOUT_MS);
    await clock.untilSleeping(0);
    clock.advance(0);
    expect(await pending).toMatchObject({ text: "hi" });
    expect(ended[0]!.error).toMatchObject({ code: "provider-timeout", retryable: true });
  });

  it("ends at once on abort while a request is out, and the attempt is booked", async () => {
    const controller = new AbortController();
    const { options, log } = setUp(
      { a: new ScriptedProvider(hangs), b: new ScriptedProvider(says("b")) },
      { signal: controller.signal, clock: new ManualClock() },
    );
    const pending = callModel(options);
    setImmediate(() => controller.abort(error("aborted")));
    await expect(pending).rejects.toMatchObject({ code: "aborted" });
    expect(log).toEqual(["start a/m", "end a/m aborted"]);
  });

  it("ends at once on abort while waiting for the next try", async () => {
    const controller = new AbortController();
    const clock = new ManualClock();
    const { options, log } = setUp(
      { a: new ScriptedProvider(broken("provider-error")), b: new ScriptedProvider(says("b")) },
      { signal: controller.signal, clock },
    );
    const pending = callModel(options);
    await clock.untilSleeping(125);
    controller.abort(new Error("enough"));
    await expect(pending).rejects.toMatchObject({ code: "aborted" });
    expect(log).toEqual(["start a/m", "end a/m provider-error"]);
  });

  it("is not spent at all when the signal has aborted already", async () => {
    const { options, log } = setUp({ a: new ScriptedProvider(says("hi")) }, { signal: AbortSignal.abort() });
    await expect(callModel(options)).rejects.toMatchObject({ code: "aborted" });
    expect(log).toEqual([]);
  });
});

describe("limits", () => {
  it("let only so many of a model's requests be out at once, over all calls of the process", async () => {
    const shared = createModelLimits({ clock: new ManualClock() });
    let out = 0;
    let most = 0;
    const a = new ScriptedProvider(async () => {
      most = Math.max(most, ++out);
      await new Promise((resolve) => setImmediate(resolve));
      out--;
      return says("hi")({ signal: new AbortController().signal }, { messages: [], config: {} });
    });
    const calls = Array.from({ length: 20 }, () =>
      callModel(setUp({ a }, { modelName: "fast", limits: { shared, concurrency: 3 } }).options),
    );
    await Promise.all(calls);
    expect(most).toBe(3);
  });

  it("hold no place while a call waits for its next try", async () => {
    const shared = createModelLimits({ clock: new ManualClock() });
    const clock = new ManualClock();
    const limits = { shared, concurrency: 1 };
    const slow = setUp({ a: new ScriptedProvider(broken("provider-error"), says("late")) }, { clock, limits, modelName: "fast" });
    const late = callModel(slow.options);
    await clock.untilSleeping(125);
    expect(await callModel(setUp({ a: new ScriptedProvider(says("first")) }, { limits, modelName: "fast" }).options)).toMatchObject({
      text: "first",
    });
    clock.advance(125);
    expect(await late).toMatchObject({ text: "late" });
  });

  it("let go at once of a call that is aborted in line, without an attempt, and the next one moves up", async () => {
    const shared = createModelLimits({ clock: new ManualClock() });
    const limits = { shared, concurrency: 1 };
    const first = new AbortController();
    const holder = setUp({ a: new ScriptedProvider(hangs) }, { limits, modelName: "fast", signal: first.signal, clock: new ManualClock() });
    const held = callModel(holder.options);
    held.catch(() => {});
    const second = new AbortController();
    const waiting = setUp({ a: new ScriptedProvider(says("2")) }, { limits, modelName: "fast", signal: second.signal });
    const gone = callModel(waiting.options);
    const third = callModel(setUp({ a: new ScriptedProvider(says("3")) }, { limits, modelName: "fast" }).options);
    second.abort(new Error("enough"));
    await expect(gone).rejects.toMatchObject({ code: "aborted" });
    expect(waiting.log).toEqual([]);
    first.abort(error("aborted"));
    expect(await third).toMatchObject({ text: "3" });
    await expect(held).rejects.toMatchObject({ code: "aborted" });
    expect(holder.log).toEqual(["start a/m", "end a/m aborted"]);
  });

  it("pace requests by tokens a minute, settled by what was really used", async () => {
    const clock = new ManualClock();
    const shared = createModelLimits({ clock });
    const limits = { shared, tokensPerMinute: 1_000 };
    const call = (maxOutputTokens: number) =>
      callModel(
        setUp(
          { a: new ScriptedProvider(says("hi")) },
          {
            clock,
            limits,
            modelName: "fast",
            request: { messages: [{ role: "user", content: [{ text: "x".repeat(400) }] }], config: { maxOutputTokens } },
          },
        ).options,
      );
    // Reserves all 1,000 tokens and uses 15, so that 985 are there for the next.
    await call(900);
    await call(885);
    const third = call(900);
    let done = false;
    void third.finally(() => {
      done = true;
    });
    while (clock.now() < 1_060_000) {
      await clock.untilAsleep();
      clock.advance(1_000);
      expect(done).toBe(false);
    }
    while (!done) {
      await clock.untilAsleep();
      clock.advance(1_000);
    }
    expect(clock.now()).toBeLessThan(1_065_000);
  });

  it("hold for a provider over all its models", async () => {
    const clock = new ManualClock();
    const limits = { shared: createModelLimits({ clock }), ofProvider: () => ({ concurrency: 1 }) };
    const first = new AbortController();
    const held = callModel(setUp({ a: new ScriptedProvider(hangs) }, { limits, modelName: "fast", signal: first.signal, clock }).options);
    held.catch(() => {});
    const a = new ScriptedProvider(says("second"));
    const second = callModel(setUp({ a }, { limits, modelName: "smart", clock }).options);
    await turnOfTheLoop();
    expect(a.requests).toEqual([]);
    first.abort(error("aborted"));
    expect(await second).toMatchObject({ text: "second" });
  });

  it("are another's in another scope", async () => {
    const clock = new ManualClock();
    const shared = createModelLimits({ clock });
    const limits = (scope: string) => ({ shared, scope, concurrency: 1 });
    const first = new AbortController();
    const held = callModel(
      setUp({ a: new ScriptedProvider(hangs) }, { limits: limits("dev"), modelName: "fast", signal: first.signal, clock }).options,
    );
    held.catch(() => {});
    await turnOfTheLoop();
    expect(
      await callModel(setUp({ a: new ScriptedProvider(says("prod")) }, { limits: limits("prod"), modelName: "fast", clock }).options),
    ).toMatchObject({ text: "prod" });
    first.abort(error("aborted"));
  });
});

describe("circuits", () => {
  const down = () => new ScriptedProvider(broken("provider-error"));

  it("spare callers with a fallback a target that is down", async () => {
    const shared = createModelLimits({ clock: new ManualClock() });
    const a = down();
    const ask = () => callModel(setUp({ a, b: new ScriptedProvider(says("b")) }, { limits: { shared } }).options);
    for (let i = 0; i < 4; i++) expect(await ask()).toMatchObject({ provider: "b" });
    const sent = a.requests.length;
    for (let i = 0; i < 5; i++) expect(await ask()).toMatchObject({ provider: "b" });
    expect(a.requests.length).toBe(sent);
    expect(sent).toBeLessThanOrEqual(12);
  });

  it("keep nobody from a target that has no fallback", async () => {
    const shared = createModelLimits({ clock: new ManualClock() });
    const a = down();
    for (let i = 0; i < 8; i++) await callModel(setUp({ a, b: new ScriptedProvider(says("b")) }, { limits: { shared } }).options);
    const before = a.requests.length;
    await expect(callModel(setUp({ a }, { limits: { shared } }).options)).rejects.toMatchObject({ code: "provider-error" });
    expect(a.requests.length).toBe(before + 3);
  });

  it("stay closed for errors that say that the target is alive", async () => {
    const shared = createModelLimits({ clock: new ManualClock() });
    const a = new ScriptedProvider(broken("rate-limited"));
    const ask = () => callModel(setUp({ a, b: new ScriptedProvider(says("b")) }, { limits: { shared } }).options);
    for (let i = 0; i < 8; i++) await ask();
    expect(a.requests.length).toBe(24);
  });

  it("are per target", async () => {
    const shared = createModelLimits({ clock: new ManualClock() });
    for (let i = 0; i < 8; i++) await callModel(setUp({ a: down(), b: new ScriptedProvider(says("b")) }, { limits: { shared } }).options);
    const c = new ScriptedProvider(says("c"));
    expect(await callModel(setUp({ c, b: new ScriptedProvider(says("b")) }, { limits: { shared } }).options)).toMatchObject({
      provider: "c",
    });
  });
});
