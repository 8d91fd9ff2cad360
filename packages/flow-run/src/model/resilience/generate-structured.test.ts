import type { Json } from "@flow-run/spec";
import { describe, expect, it } from "vitest";
import { recordAttempts } from "../__fixtures__/ended-attempts.ts";
import { ImpatientClock } from "../__fixtures__/manual-clock.ts";
import { fails, ScriptedProvider, says } from "../__fixtures__/scripted-provider.ts";
import { ModelCallError } from "../model-call-error.ts";
import { type GenerateStructuredOptions, generateStructured } from "./generate-structured.ts";

const TIMEOUT_MS = 12_345;
const GOOD = '{"score":7}';

function setUp(providers: { [name: string]: ScriptedProvider }, more: Partial<GenerateStructuredOptions> = {}) {
  const record = recordAttempts();
  const options: GenerateStructuredOptions = {
    targets: Object.keys(providers).map((provider) => ({ provider, model: "m" })),
    providers: (name) => providers[name]!,
    request: { messages: [{ role: "user", content: [{ text: "rate it" }] }], config: {}, output: { schema: { type: "object" } } },
    timeoutMs: TIMEOUT_MS,
    retries: 0,
    signal: new AbortController().signal,
    clock: new ImpatientClock(TIMEOUT_MS),
    random: () => 0,
    hooks: record.hooks,
    validate: (value) => {
      const score = (value as { score?: Json } | null)?.score;
      return { value, errors: typeof score === "number" ? [] : [{ pointer: "/score", message: "must be a number" }] };
    },
    ...more,
  };
  return { ...record, options };
}

const asks = (provider: ScriptedProvider, index: number) =>
  provider.requests[index]!.messages.map(
    ({ role, content }) => `${role}: ${content.map((part) => ("text" in part ? part.text : "")).join("")}`,
  );

describe("a structured answer", () => {
  it.each([
    ["bare", GOOD],
    ["in a fence", `\`\`\`json\n${GOOD}\n\`\`\``],
    ["in a fence without a language", `\`\`\`\n${GOOD}\n\`\`\``],
    ["with prose around it", `Sure! Here it is: ${GOOD}. Anything else?`],
    ["with prose and a fence", `Sure:\n\`\`\`json\n${GOOD}\n\`\`\`\nDone.`],
    ["with a BOM and line breaks", `\uFEFF\r\n ${GOOD}\r\n`],
  ])("is taken %s", async (_, text) => {
    const { options } = setUp({ a: new ScriptedProvider(says(text)) });
    expect(await generateStructured(options)).toMatchObject({ value: { score: 7 }, repairs: 0, provider: "a" });
  });

  it("is what the validator makes of it", async () => {
    const { options } = setUp(
      { a: new ScriptedProvider(says(GOOD)) },
      { validate: () => ({ value: { score: 7, rounded: true }, errors: [] }) },
    );
    expect((await generateStructured(options)).value).toEqual({ score: 7, rounded: true });
  });

  it("is asked for again with the errors when it does not fit, each time as a call of its own", async () => {
    const a = new ScriptedProvider(says('{"score":"high"}'), says("I would say 7"), says(GOOD));
    const { options, log } = setUp({ a });
    expect(await generateStructured(options)).toMatchObject({ value: { score: 7 }, repairs: 2 });
    expect(log.filter((line) => line.startsWith("end"))).toEqual(["end a/m ok", "end a/m ok", "end a/m ok"]);
    expect(asks(a, 1)).toEqual([
      "user: rate it",
      'model: {"score":"high"}',
      expect.stringMatching(/user: .*\n- \/score: must be a number\n/),
    ]);
    // Only the last answer is shown again.
    expect(asks(a, 2)).toEqual(["user: rate it", "model: I would say 7", expect.stringContaining("the answer is not valid JSON")]);
  });

  it("is given up after two repairs, with the first errors in the message", async () => {
    const a = new ScriptedProvider(says('{"score":"high"}'));
    const { options } = setUp({ a });
    await expect(generateStructured(options)).rejects.toMatchObject({
      name: "ModelCallError",
      code: "output-invalid",
      retryable: false,
      message: expect.stringContaining("/score must be a number"),
      details: { tries: 3, errors: [{ pointer: "/score", message: "must be a number" }] },
    });
    expect(a.requests).toHaveLength(3);
  });

  it("is not asked for again when none is allowed", async () => {
    const a = new ScriptedProvider(says("no"));
    await expect(generateStructured(setUp({ a }, { repairs: 0 }).options)).rejects.toMatchObject({ code: "output-invalid" });
    expect(a.requests).toHaveLength(1);
  });

  it("is not asked for again when it was cut off at its token limit, which would only happen again", async () => {
    const a = new ScriptedProvider(says('{"score":', { finishReason: "length" }));
    await expect(generateStructured(setUp({ a }).options)).rejects.toMatchObject({
      code: "output-invalid",
      message: expect.stringContaining("maxOutputTokens"),
    });
    expect(a.requests).toHaveLength(1);
  });

  it("is asked for again without an empty message, which vendors refuse", async () => {
    const a = new ScriptedProvider(says(""), says(GOOD));
    await generateStructured(setUp({ a }).options);
    expect(asks(a, 1)).toEqual(["user: rate it", expect.stringContaining("the answer is empty")]);
  });

  it("is asked for again from whoever answered", async () => {
    const a = new ScriptedProvider(fails(new ModelCallError("provider-error", "down")));
    const b = new ScriptedProvider(says("no"), says(GOOD));
    const { options, log } = setUp({ a, b });
    await generateStructured(options);
    expect(log.filter((line) => line.startsWith("start"))).toEqual(["start a/m", "start b/m", "start b/m"]);
  });

  it("tells a listener when text that it heard is void", async () => {
    const heard: string[] = [];
    const { options } = setUp({ a: new ScriptedProvider(says("no"), says(GOOD)) });
    await generateStructured({ ...options, onText: (text) => heard.push(text), onRestart: () => heard.push("<restart>") });
    expect(heard).toEqual(["no", "<restart>", GOOD]);
  });

  it.each([
    ["a number beyond all doubles", '{"score":1e400}', /too large/],
    ["100,000 levels", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, /nested deeper/],
  ])("with %s is refused and breaks nothing", async (_, text, message) => {
    await expect(generateStructured(setUp({ a: new ScriptedProvider(says(text)) }, { repairs: 0 }).options)).rejects.toMatchObject({
      code: "output-invalid",
      message: expect.stringMatching(message),
    });
  });

  it("keeps NUL, lone surrogates and `__proto__` from doing harm", async () => {
    const text = '{"score":1,"a\\u0000":"b\\ud83d","__proto__":{"admin":true}}';
    const { value } = await generateStructured(setUp({ a: new ScriptedProvider(says(text)) }).options);
    expect(JSON.stringify(value)).toBe('{"score":1,"a\uFFFD":"b\uFFFD","__proto__":{"admin":true}}');
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
});
