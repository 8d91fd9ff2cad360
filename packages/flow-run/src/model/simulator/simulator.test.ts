import type { JsonSchema, SimulatorScript } from "@flow-run/spec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SimulatedAnswer } from "./simulated-answer.ts";
import type { SimulatorRequest } from "./simulated-request.ts";
import { createSimulator } from "./simulator.ts";

function ask(text: string, more: Partial<SimulatorRequest> = {}): SimulatorRequest {
  return { model: "gpt-5-mini", messages: [{ role: "user", content: [{ text }] }], config: {}, ...more };
}

function textOf(answer: SimulatedAnswer): string {
  if (answer.kind !== "text") throw new Error(`not a text but a ${answer.kind}`);
  return answer.text;
}

const triage: JsonSchema = {
  type: "object",
  properties: { category: { enum: ["billing", "bug", "other"] }, urgent: { type: "boolean" } },
  required: ["category", "urgent"],
  additionalProperties: false,
};

async function outcomes(script: SimulatorScript, count: number, more: Partial<SimulatorRequest> = {}): Promise<string[]> {
  const simulator = createSimulator(script);
  const answers = await Promise.all(Array.from({ length: count }, (_, index) => simulator.answer(ask(`question ${index}`, more))));
  return answers.map((answer) =>
    answer.kind === "refusal" ? String(answer.status) : answer.kind === "text" && answer.fault ? answer.fault.kind : answer.kind,
  );
}

describe("what is the same every time", () => {
  test("the same request gets the same answer, in any order and from any simulator with the same script", async () => {
    const texts = fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(texts, fc.boolean(), fc.integer(), async (prompts, structured, seed) => {
        const requests = prompts.map((text) => ask(text, structured ? { output: { schema: triage } } : {}));
        const one = createSimulator({ seed });
        const other = createSimulator({ seed });
        const forwards = await Promise.all(requests.map((request) => one.answer(request)));
        const backwards = await Promise.all(requests.toReversed().map((request) => other.answer(request)));
        expect(backwards.toReversed()).toEqual(forwards);
        expect(textOf(await one.answer(requests[0]!))).toBe(textOf(forwards[0]!));
      }),
    );
  });

  test("another seed, model, config, schema or message gives another answer", async () => {
    const base = ask("Where is my parcel?");
    const simulator = createSimulator();
    const answers = [
      await simulator.answer(base),
      await createSimulator({ seed: 1 }).answer(base),
      await simulator.answer({ ...base, model: "claude" }),
      await simulator.answer({ ...base, config: { temperature: 1 } }),
      await simulator.answer(ask("Where is my refund?")),
      await simulator.answer({ ...base, output: { schema: triage } }),
    ].map(textOf);
    expect(new Set(answers).size).toBe(answers.length);
  });

  test("a text answer quotes the prompt and stays below maxOutputTokens", async () => {
    const simulator = createSimulator();
    expect(textOf(await simulator.answer(ask("My invoice is wrong")))).toContain("My invoice is wrong");
    const short = await simulator.answer(ask("My invoice is wrong", { config: { maxOutputTokens: 12 } }));
    expect(short).toMatchObject({ finishReason: "stop", usage: { outputTokens: expect.toSatisfy((tokens: number) => tokens <= 12) } });
  });

  test("a structured answer is JSON that fits the schema", async () => {
    const answer = JSON.parse(textOf(await createSimulator().answer(ask("I was charged twice", { output: { schema: triage } }))));
    expect(answer).toEqual({ category: expect.stringMatching(/^(billing|bug|other)$/), urgent: expect.any(Boolean) });
  });

  test("a structured answer without a schema is a JSON object", async () => {
    expect(JSON.parse(textOf(await createSimulator().answer(ask("hello", { output: {} }))))).toEqual({ answer: expect.any(String) });
  });

  test("a schema that nothing fits is refused with a hint instead of being answered wrongly", async () => {
    const answer = await createSimulator().answer(ask("hello", { output: { schema: { type: "integer", minimum: 2, maximum: 1 } } }));
    expect(answer).toMatchObject({ kind: "refusal", status: 400, message: expect.stringContaining("rule") });
  });

  test("a schema nested a hundred thousand deep is refused", async () => {
    const deep = JSON.parse(`${'{"items":'.repeat(100_000)}{}${"}".repeat(100_000)}`) as JsonSchema;
    expect(await createSimulator().answer(ask("hello", { output: { schema: deep } }))).toMatchObject({ kind: "refusal", status: 400 });
  });

  test("estimated usage counts messages and schema on one side and the answer on the other", async () => {
    const simulator = createSimulator({ rules: [{ answer: "12345678" }] });
    const plain = await simulator.answer(ask("x".repeat(40)));
    expect(plain).toMatchObject({
      usage: { inputTokens: 14, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
    });
    const structured = await simulator.answer(ask("x".repeat(40), { output: { schema: triage } }));
    expect(structured).toMatchObject({ usage: { inputTokens: 14 + Math.ceil(JSON.stringify(triage).length / 4) } });
  });
});

describe("rules", () => {
  const conversation: SimulatorRequest = {
    model: "gpt-5-mini",
    messages: [
      { role: "system", content: [{ text: "You triage tickets." }] },
      { role: "user", content: [{ text: "I want a REFUND\nfor order 1234" }] },
    ],
    config: {},
    output: { schema: { ...(triage as object), title: "Triage" }, name: "response" },
  };

  test.each<[string, NonNullable<NonNullable<SimulatorScript["rules"]>[number]["when"]>, boolean]>([
    ["model by wildcard", { model: "gpt-*" }, true],
    ["another model", { model: "claude-*" }, false],
    ["a wildcard's dots are dots", { model: "gpt.5.mini" }, false],
    ["contained text, whatever its case", { contains: "refund" }, true],
    ["all of several texts", { contains: ["refund", "triage"] }, true],
    ["one of several texts missing", { contains: ["refund", "parcel"] }, false],
    ["text of the role", { contains: "refund", role: "user" }, true],
    ["text of another role", { contains: "refund", role: "system" }, false],
    ["an expression", { matches: "order \\d{4}$" }, true],
    ["an expression that does not match", { matches: "^order" }, false],
    ["an expression regardless of case", { matches: "(?i:i WANT)" }, true],
    ["a role that speaks", { role: "system" }, true],
    ["a role that is silent", { role: "tool" }, false],
    ["the format", { format: "json" }, true],
    ["the other format", { format: "text" }, false],
    ["the schema's title", { schema: "Tri*" }, true],
    ["the schema's name on the wire", { schema: "response" }, true],
    ["another schema", { schema: "Draft" }, false],
    ["properties of the schema", { properties: ["urgent"] }, true],
    ["properties that the schema has not", { properties: ["urgent", "score"] }, false],
    ["all conditions at once", { model: "gpt-*", contains: "refund", format: "json" }, true],
    ["one condition of several failing", { model: "gpt-*", contains: "refund", format: "text" }, false],
    ["no condition", {}, true],
  ])("%s", async (_, when, holds) => {
    const answer = await createSimulator({ rules: [{ when, answer: "by rule" }] }).answer(conversation);
    expect(textOf(answer) === "by rule").toBe(holds);
  });

  test("the first rule that holds decides", async () => {
    const simulator = createSimulator({
      rules: [{ when: { contains: "b" }, answer: "one" }, { when: { contains: "a" }, answer: "two" }, { answer: "three" }],
    });
    expect(textOf(await simulator.answer(ask("ab")))).toBe("one");
    expect(textOf(await simulator.answer(ask("a")))).toBe("two");
    expect(textOf(await simulator.answer(ask("c")))).toBe("three");
  });

  test("text is sent as it is and anything else as JSON", async () => {
    const answers = await Promise.all(
      ["{{not a template}} ${{ nor this }}", { category: "billing" }, [1, 2], 3, null, false].map(async (answer) =>
        textOf(await createSimulator({ rules: [{ answer }] }).answer(ask("hello"))),
      ),
    );
    expect(answers).toEqual(["{{not a template}} ${{ nor this }}", '{"category":"billing"}', "[1,2]", "3", "null", "false"]);
  });

  test("times bounds how often a rule is used", async () => {
    const simulator = createSimulator({ rules: [{ answer: "twice", times: 2 }, { answer: "then" }] });
    const answers = [];
    for (let index = 0; index < 4; index++) answers.push(textOf(await simulator.answer(ask(`question ${index}`))));
    expect(answers).toEqual(["twice", "twice", "then", "then"]);
  });

  test("nth counts the requests for which the other conditions hold", async () => {
    const simulator = createSimulator({ rules: [{ when: { contains: "refund", nth: 2 }, answer: "second refund" }, { answer: "other" }] });
    const answers = [];
    for (const text of ["refund 1", "parcel", "refund 2", "refund 3"]) answers.push(textOf(await simulator.answer(ask(text))));
    expect(answers).toEqual(["other", "other", "second refund", "other"]);
  });

  test("attempt counts how often the very same request was asked", async () => {
    const simulator = createSimulator({ rules: [{ when: { attempt: 1 }, error: { status: 500 } }, { answer: "fine" }] });
    for (const text of ["one", "two"]) {
      expect(await simulator.answer(ask(text))).toMatchObject({ kind: "refusal", status: 500, attempt: 1 });
      expect(await simulator.answer(ask(text))).toMatchObject({ kind: "text", text: "fine", attempt: 2 });
    }
  });

  test("reset forgets all counts", async () => {
    const simulator = createSimulator({ rules: [{ answer: "once", times: 1 }, { answer: "then" }] });
    await simulator.answer(ask("a"));
    simulator.reset();
    expect(await simulator.answer(ask("a"))).toMatchObject({ text: "once", attempt: 1 });
  });

  test("given usage fills its buckets and leaves the rest to the estimate", async () => {
    const [rule] = [{ answer: "12345678", usage: { inputTokens: 120, cacheReadTokens: 100, reasoningTokens: 10 } }];
    expect(await createSimulator({ rules: [rule] }).answer(ask("hello"))).toMatchObject({
      usage: { inputTokens: 120, outputTokens: 2, cacheReadTokens: 100, cacheWriteTokens: 0, reasoningTokens: 10 },
    });
    expect(await createSimulator({ rules: [{ usage: "none" }] }).answer(ask("hello"))).toMatchObject({ usage: null });
  });

  test("a rule without an answer shapes the one that is made up", async () => {
    const made = await createSimulator().answer(ask("hello"));
    const shaped = await createSimulator({ rules: [{ finishReason: "length", latency: "20ms" }] }).answer(ask("hello"));
    expect(shaped).toEqual({ ...made, finishReason: "length", timing: { beginMs: 20, firstTextMs: 0, perPieceMs: 0 } });
  });

  test("the model's own mistakes: broken JSON, and JSON that does not fit", async () => {
    const request = ask("hello", { output: { schema: triage } });
    const broken = textOf(await createSimulator({ rules: [{ error: { malformedJson: true } }] }).answer(request));
    expect(() => JSON.parse(broken)).toThrow(SyntaxError);
    const misfit = textOf(await createSimulator({ rules: [{ error: { schemaMismatch: true } }] }).answer(request));
    expect(JSON.parse(misfit)).toEqual({ urgent: expect.any(Boolean), unexpected: true });
  });
});

describe("faults by share", () => {
  test("each befalls its share of requests and no more", async () => {
    const counted = Object.groupBy(
      await outcomes(
        { faults: { rateLimit: 0.1, serverError: 0.05, overloaded: 0.05, timeout: 0.05, cutStream: 0.1, malformedBody: 0.05 } },
        4_000,
      ),
      (outcome) => outcome,
    );
    const shares = Object.fromEntries(Object.entries(counted).map(([outcome, list]) => [outcome, list!.length / 4_000]));
    const expected = { "429": 0.1, "500": 0.05, "529": 0.05, silence: 0.05, cut: 0.1, "malformed-body": 0.05, text: 0.6 };
    expect(Object.keys(shares).sort()).toEqual(Object.keys(expected).sort());
    for (const [outcome, share] of Object.entries(expected)) expect(Math.abs(shares[outcome]! - share), outcome).toBeLessThan(0.025);
  });

  test("the same faults befall the same requests with the same seed, and others with another", async () => {
    const faults = { rateLimit: 0.5 };
    expect(await outcomes({ faults }, 100)).toEqual(await outcomes({ faults }, 100));
    expect(await outcomes({ faults }, 100)).not.toEqual(await outcomes({ faults, seed: 1 }, 100));
  });

  test("a retry of the same request draws again and gets the answer that the first attempt would have got", async () => {
    const simulator = createSimulator({ faults: { serverError: 0.5 } });
    const calm = createSimulator();
    for (let index = 0; index < 20; index++) {
      const request = ask(`question ${index}`);
      let answer = await simulator.answer(request);
      while (answer.kind !== "text") answer = await simulator.answer(request);
      expect(answer.text).toBe(textOf(await calm.answer(request)));
    }
  });

  test("faults of structured answers spare text", async () => {
    const faults = { malformedJson: 0.5, schemaMismatch: 0.5 };
    expect(new Set(await outcomes({ faults }, 50))).toEqual(new Set(["text"]));
    const simulator = createSimulator({ faults });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => simulator.answer(ask(`q ${index}`, { output: { schema: triage } }))),
    );
    const fitting = answers.filter((answer) => {
      try {
        return Object.keys(JSON.parse(textOf(answer)) as object).includes("category");
      } catch {
        return false;
      }
    });
    expect(fitting).toEqual([]);
  });

  test("retryAfter is one second unless the script says otherwise", async () => {
    expect(await createSimulator({ faults: { rateLimit: 1 } }).answer(ask("a"))).toMatchObject({ status: 429, retryAfterMs: 1_000 });
    expect(await createSimulator({ faults: { rateLimit: 1, retryAfter: "2s" } }).answer(ask("a"))).toMatchObject({ retryAfterMs: 2_000 });
  });

  test("latency is drawn between min and max, the same for the same request", async () => {
    const latency = { min: "20ms", max: "80ms", firstToken: "10ms", perToken: "2ms" };
    const [one, other] = [createSimulator({ latency }), createSimulator({ latency })];
    const begins = new Set<number>();
    for (let index = 0; index < 50; index++) {
      const { timing } = await one.answer(ask(`q ${index}`));
      expect(timing).toEqual({ beginMs: expect.toSatisfy((ms: number) => ms >= 20 && ms < 80), firstTextMs: 10, perPieceMs: 2 });
      expect((await other.answer(ask(`q ${index}`))).timing).toEqual(timing);
      begins.add(timing.beginMs);
    }
    expect(begins.size).toBeGreaterThan(40);
  });
});
