import { FlowRunError } from "@flow-run/spec";
import { describe, expect, it } from "vitest";
import { CallLab, turnOfTheLoop } from "../__fixtures__/call-lab.ts";
import { answerOf, fails, hangs, ScriptedProvider, says, type Turn } from "../__fixtures__/scripted-provider.ts";
import { ModelCallError } from "../model-call-error.ts";
import { createModelLimits } from "./model-limits.ts";

const hedge = { afterMs: 2_000, max: 1 };

/** Answers when it is told to. */
function onCommand(): { turn: Turn; answer(text: string): void; say(text: string): void; fail(): void } {
  const answer = Promise.withResolvers<ReturnType<typeof answerOf>>();
  let tell: (text: string) => void = () => {};
  return {
    turn: ({ signal, onText }) => {
      tell = (text) => onText?.(text);
      signal.addEventListener("abort", () => answer.reject(signal.reason), { once: true });
      return answer.promise;
    },
    answer: (text) => answer.resolve(answerOf(text)),
    say: (text) => tell(text),
    fail: () => answer.reject(new ModelCallError("provider-error", "500")),
  };
}

describe("a hedged request", () => {
  it("is sent once when its answer comes in time", async () => {
    const lab = new CallLab();
    const first = onCommand();
    const a = new ScriptedProvider(first.turn);
    const { answer, log } = lab.call({ a }, { hedge });
    await lab.pass(1_999);
    first.answer("in time");
    expect(await answer).toMatchObject({ text: "in time" });
    await lab.pass(10_000);
    expect(log).toEqual(["start a/m", "end a/m ok"]);
  });

  it("is sent again when its answer is late: the first answer counts, and the other one is aborted and booked", async () => {
    const lab = new CallLab();
    const a = new ScriptedProvider(hangs, says("second"));
    const { answer, log, ended } = lab.call({ a }, { hedge });
    await lab.pass(2_000);
    expect(await answer).toMatchObject({ text: "second" });
    expect(log).toEqual(["start a/m", "start a/m", "end a/m ok", "end a/m aborted"]);
    expect(a.attemptIds).toEqual(["attempt-1", "attempt-2"]);
    expect(ended.at(-1)).toMatchObject({ attemptId: "attempt-1", error: { code: "aborted", usage: null } });
  });

  it("counts the late answer when it comes first after all", async () => {
    const lab = new CallLab();
    const first = onCommand();
    const a = new ScriptedProvider(first.turn, hangs);
    const { answer, log } = lab.call({ a }, { hedge });
    await lab.pass(2_000);
    first.answer("late");
    expect(await answer).toMatchObject({ text: "late" });
    expect(log).toEqual(["start a/m", "start a/m", "end a/m ok", "end a/m aborted"]);
  });

  it("is sent no more often than it may be", async () => {
    const lab = new CallLab();
    const a = new ScriptedProvider(hangs);
    const { answer, log } = lab.call({ a }, { hedge: { afterMs: 2_000, max: 2 } });
    for (let i = 0; i < 5; i++) await lab.pass(2_000);
    expect(log.filter((line) => line.startsWith("start"))).toHaveLength(3);
    await lab.pass(30_000);
    await expect(answer).rejects.toMatchObject({ code: "provider-timeout" });
  });

  it("is retried as ever when the first fails before its time: there is nothing to hedge", async () => {
    const lab = new CallLab();
    const a = new ScriptedProvider(fails(new ModelCallError("provider-error", "500")), says("second"));
    const { answer, log } = lab.call({ a }, { hedge, retries: 1 });
    await lab.pass(0);
    expect(await answer).toMatchObject({ text: "second" });
    expect(log).toEqual(["start a/m", "end a/m provider-error", "start a/m", "end a/m ok"]);
  });

  it("fails only when all of its attempts have failed", async () => {
    const lab = new CallLab();
    const first = onCommand();
    const second = onCommand();
    const a = new ScriptedProvider(first.turn, second.turn);
    const { answer } = lab.call({ a }, { hedge });
    await lab.pass(2_000);
    first.fail();
    await lab.pass(1_000);
    second.answer("saved");
    expect(await answer).toMatchObject({ text: "saved" });
  });

  it("is streamed from whoever begins first; the other one is aborted and its text is not heard", async () => {
    const lab = new CallLab();
    const first = onCommand();
    const second = onCommand();
    const heard: string[] = [];
    const a = new ScriptedProvider(first.turn, second.turn);
    const { answer, log } = lab.call({ a }, { hedge, onText: (text, attemptId) => heard.push(`${attemptId} ${text}`) });
    await lab.pass(2_000);
    second.say("two");
    first.say("one");
    await turnOfTheLoop();
    second.answer("two");
    expect(await answer).toMatchObject({ text: "two" });
    expect(heard).toEqual(["attempt-2 two"]);
    expect(log).toEqual(["start a/m", "start a/m", "end a/m aborted", "end a/m ok"]);
  });

  it("is not sent again once its text has begun", async () => {
    const lab = new CallLab();
    const first = onCommand();
    const a = new ScriptedProvider(first.turn);
    const { answer } = lab.call({ a }, { hedge, onText: () => {} });
    await lab.pass(1_000);
    first.say("It ");
    await lab.pass(20_000);
    expect(a.requests).toHaveLength(1);
    first.answer("It is slow.");
    expect(await answer).toMatchObject({ text: "It is slow." });
  });

  it("ends with everything that was sent when the caller aborts", async () => {
    const lab = new CallLab();
    const controller = new AbortController();
    const a = new ScriptedProvider(hangs);
    const { answer, log } = lab.call({ a }, { hedge, signal: controller.signal });
    await lab.pass(2_000);
    controller.abort(new ModelCallError("aborted", "enough"));
    await expect(answer).rejects.toMatchObject({ code: "aborted", message: "enough" });
    await lab.pass(10_000);
    expect(log).toEqual(["start a/m", "start a/m", "end a/m aborted", "end a/m aborted"]);
  });

  it("goes on with its first attempt when the further one may not be begun", async () => {
    const lab = new CallLab();
    const first = onCommand();
    const a = new ScriptedProvider(first.turn);
    const { answer, log, hooks } = lab.call({ a });
    let begun = 0;
    const hedged = lab.call(
      { a },
      {
        hedge,
        hooks: {
          ...hooks,
          attemptStarting: (target) =>
            ++begun > 1 ? Promise.reject(new FlowRunError("budget-exceeded", "no more")) : hooks.attemptStarting(target),
        },
      },
    );
    await lab.pass(2_000);
    expect(begun).toBe(2);
    first.answer("enough");
    expect(await hedged.answer).toMatchObject({ text: "enough" });
    await answer;
    expect(log.filter((line) => line.startsWith("start"))).toHaveLength(2);
  });

  it("counts each of its attempts in the model's limits, and waits in line for a further one", async () => {
    const lab = new CallLab();
    const first = onCommand();
    const a = new ScriptedProvider(first.turn, says("second"));
    const limits = { shared: createModelLimits({ clock: lab.clock }), concurrency: 1 };
    const { answer, log } = lab.call({ a }, { hedge, limits, modelName: "fast" });
    await lab.pass(2_000);
    await lab.pass(3_000);
    expect(a.requests).toHaveLength(1);
    first.answer("only");
    expect(await answer).toMatchObject({ text: "only" });
    expect(log).toEqual(["start a/m", "end a/m ok"]);
  });
});
