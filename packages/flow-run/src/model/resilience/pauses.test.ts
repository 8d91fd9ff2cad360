import { describe, expect, it } from "vitest";
import { CallLab, turnOfTheLoop } from "../__fixtures__/call-lab.ts";
import { fails, ScriptedProvider, says } from "../__fixtures__/scripted-provider.ts";
import { ModelCallError } from "../model-call-error.ts";
import { MemoryLimitStates } from "./limits/index.ts";
import { createModelLimits, type ModelLimits } from "./model-limits.ts";

const refused = (retryAfterMs: number) => fails(new ModelCallError("rate-limited", "429", { retryAfterMs }));

function open() {
  const lab = new CallLab();
  return { lab, limits: { shared: createModelLimits({ clock: lab.clock }) } };
}

describe("a target that wants to be left alone", () => {
  it("gets no request from any caller until then, without an attempt being spent", async () => {
    const { lab, limits } = open();
    const a = new ScriptedProvider(refused(20_000), says("hi"));
    await expect(lab.call({ a }, { limits }).answer).rejects.toMatchObject({ code: "rate-limited" });
    const waiting = lab.call({ a }, { limits });
    await lab.pass(19_999);
    expect(a.requests).toHaveLength(1);
    await lab.pass(1);
    expect(await waiting.answer).toMatchObject({ text: "hi" });
    expect(waiting.log).toEqual(["start a/m", "end a/m ok"]);
  });

  it("says so with a good answer too", async () => {
    const { lab, limits } = open();
    const a = new ScriptedProvider(says("the last one", { pauseMs: 5_000 }), says("the first one"));
    await lab.call({ a }, { limits }).answer;
    const next = lab.call({ a }, { limits });
    await lab.pass(4_999);
    expect(a.requests).toHaveLength(1);
    await lab.pass(1);
    expect(await next.answer).toMatchObject({ text: "the first one" });
  });

  it("does not keep anybody from another model of the provider, nor in another environment", async () => {
    const { lab, limits } = open();
    const a = new ScriptedProvider(refused(20_000), says("hi"));
    await expect(lab.call({ a }, { limits }).answer).rejects.toBeInstanceOf(ModelCallError);
    expect(await lab.call({ a }, { limits, targets: [{ provider: "a", model: "other" }] }).answer).toMatchObject({ text: "hi" });
    expect(await lab.call({ a }, { limits: { ...limits, scope: "prod" } }).answer).toMatchObject({ text: "hi" });
  });

  it("is waited for for a minute at most, then asked again", async () => {
    const { lab, limits } = open();
    const a = new ScriptedProvider(refused(24 * 3_600_000), says("hi"));
    await expect(lab.call({ a }, { limits }).answer).rejects.toBeInstanceOf(ModelCallError);
    const waiting = lab.call({ a }, { limits });
    await lab.pass(59_999);
    expect(a.requests).toHaveLength(1);
    await lab.pass(1);
    expect(await waiting.answer).toMatchObject({ text: "hi" });
  });

  it("for longer than a minute is passed over by callers with a fallback, at once", async () => {
    const { lab, limits } = open();
    const a = new ScriptedProvider(refused(61_000));
    const b = new ScriptedProvider(says("from b"));
    expect(await lab.call({ a, b }, { limits }).answer).toMatchObject({ provider: "b" });
    expect(await lab.call({ a, b }, { limits }).answer).toMatchObject({ provider: "b" });
    expect(a.requests).toHaveLength(1);
  });

  it("is not waited for any more by a caller that is aborted", async () => {
    const { lab, limits } = open();
    const a = new ScriptedProvider(refused(20_000), says("hi"));
    await expect(lab.call({ a }, { limits }).answer).rejects.toBeInstanceOf(ModelCallError);
    const controller = new AbortController();
    const waiting = lab.call({ a }, { limits, signal: controller.signal });
    await turnOfTheLoop();
    controller.abort(new Error("enough"));
    await expect(waiting.answer).rejects.toMatchObject({ code: "aborted" });
    expect(waiting.log).toEqual([]);
  });

  it("holds no place in line for those who wait", async () => {
    const { lab, limits } = open();
    const limited = { ...limits, concurrency: 1 };
    const a = new ScriptedProvider(refused(20_000), says("hi"));
    await expect(lab.call({ a }, { limits: limited, modelName: "fast" }).answer).rejects.toBeInstanceOf(ModelCallError);
    const waiting = lab.call({ a }, { limits: limited, modelName: "fast" });
    await turnOfTheLoop();
    const b = new ScriptedProvider(says("from b"));
    expect(await lab.call({ b }, { limits: limited, modelName: "fast" }).answer).toMatchObject({ text: "from b" });
    await lab.pass(20_000);
    await lab.pass(0);
    expect(await waiting.answer).toMatchObject({ text: "hi" });
  });

  it("is known to all processes that share a limit", async () => {
    const lab = new CallLab();
    const states = new MemoryLimitStates(() => lab.clock.now());
    const [one, two] = [createModelLimits({ clock: lab.clock, states }), createModelLimits({ clock: lab.clock, states })];
    const a = new ScriptedProvider(refused(20_000), says("hi"));
    const ask = (shared: ModelLimits) => lab.call({ a }, { limits: { shared, requestsPerMinute: 100 }, modelName: "fast" });
    await expect(ask(one).answer).rejects.toMatchObject({ code: "rate-limited" });
    await lab.pass(1_000);
    const elsewhere = ask(two);
    await lab.pass(18_900);
    expect(a.requests).toHaveLength(1);
    for (let i = 0; i < 5; i++) await lab.pass(500);
    expect(await elsewhere.answer).toMatchObject({ text: "hi" });
    expect(a.requests).toHaveLength(2);
  });
});
