import type { TokenUsage } from "@flow-run/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModelAnswer, ModelCallError, ModelProvider, ModelRequest } from "../../src/model/index.ts";

/** What the other side does with the next request. */
export const SCENES = [
  "text",
  "structured",
  "cached",
  "reasoning",
  "length",
  "no-usage",
  "absurd-usage",
  "filtered",
  "empty",
  "nul-and-surrogates",
  "rate-limited",
  "server-error",
  "rejected",
  "not-found",
  "unauthorized",
  "garbage",
  "html",
  "nothing",
  "cut",
  "silence",
  "stall",
  "error-in-stream",
  "endless",
] as const;
export type Scene = (typeof SCENES)[number];

/** The text that `text`, `cached` and `reasoning` answer with. */
export const SCENE_TEXT = "The ticket is about billing – a refund ✓ 😀";
/** What `structured` answers with. */
export const SCENE_VALUE = { category: "billing", urgent: true };
/** What `rate-limited` asks to wait. */
export const SCENE_RETRY_AFTER_MS = 7_000;
/** A key that is never to be seen again. */
export const CANARY_KEY = "test-key-CANARY";

export interface ProviderUnderTest {
  provider: ModelProvider;
  model: string;
  /** Makes the next request meet this scene. */
  play(scene: Scene, streamed: boolean): void;
  /** Usage that the scenes report. */
  usage: { text: TokenUsage; cached: TokenUsage; reasoning: TokenUsage };
  /** What the vendor answers to a key that it does not know. Default 401. */
  refusedKeyStatus?: number;
  close(): Promise<void>;
}

/** Scenes that a provider cannot play, streamed or whole, with the reason why. */
export type Skips = Partial<Record<`${Scene}${"" | " streamed" | " whole"}`, string>>;

/** Short enough for a test, long enough for a loaded machine to say something first. */
const PATIENCE_MS = 400;

/** What every provider owes the port, whoever is behind it. */
export function providerContract(name: string, create: () => Promise<ProviderUnderTest>, skips: Skips = {}): void {
  describe.each([{ streamed: false }, { streamed: true }])(`${name} (streamed: $streamed)`, ({ streamed }) => {
    let world: ProviderUnderTest;
    beforeAll(async () => {
      world = await create();
    });
    afterAll(async () => {
      await world.provider.close();
      await world.close();
    });

    async function ask(scene: Scene, request: Partial<ModelRequest> = {}, signal = new AbortController().signal) {
      world.play(scene, streamed);
      const pieces: string[] = [];
      const answer: ModelAnswer = await world.provider.call(
        world.model,
        { messages: [{ role: "user", content: [{ text: "CANARY-prompt: what is this ticket about?" }] }], config: {}, ...request },
        {
          signal,
          attemptId: "attempt-1",
          idleTimeoutMs: PATIENCE_MS,
          ...(streamed ? { onText: (text: string) => pieces.push(text) } : {}),
        },
      );
      return { answer, pieces };
    }

    async function failure(scene: Scene, signal?: AbortSignal): Promise<ModelCallError> {
      const outcome = await ask(scene, {}, signal).then(
        ({ answer }) => answer,
        (error: ModelCallError) => error,
      );
      expect(outcome).toMatchObject({ name: "ModelCallError" });
      const error = outcome as ModelCallError;
      // Everything that a logger could print of it.
      const printed = `${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)} ${JSON.stringify(error.cause) ?? ""}`;
      expect(printed).not.toContain(CANARY_KEY);
      expect(printed).not.toContain("CANARY-prompt");
      return error;
    }

    const scene = (which: Scene, title: string, test: () => Promise<void>) => {
      const reason = skips[which] ?? skips[`${which} ${streamed ? "streamed" : "whole"}`];
      it.skipIf(reason !== undefined)(reason === undefined ? title : `${title} [skipped: ${reason}]`, test);
    };

    scene("text", "answers with the text, who answered, and disjoint usage next to the raw one", async () => {
      const { answer, pieces } = await ask("text");
      expect(answer).toMatchObject({ text: SCENE_TEXT, finishReason: "stop", usage: world.usage.text });
      expect(answer.rawUsage).not.toBeNull();
      expect(answer.responseModel).toEqual(expect.any(String));
      expect(answer.responseId).toEqual(expect.any(String));
      expect(pieces.join("")).toBe(streamed ? SCENE_TEXT : "");
      if (streamed) expect(answer.timeToFirstTokenMs).toBeGreaterThanOrEqual(0);
      else expect(answer.timeToFirstTokenMs).toBeNull();
    });

    scene("structured", "answers a request with a schema by JSON text", async () => {
      const schema = {
        type: "object",
        properties: { category: { type: "string" }, urgent: { type: "boolean" } },
        required: ["category", "urgent"],
      };
      const { answer } = await ask("structured", { output: { schema } });
      expect(JSON.parse(answer.text)).toEqual(SCENE_VALUE);
    });

    scene("cached", "counts cached input apart from the rest", async () => {
      expect((await ask("cached")).answer.usage).toEqual(world.usage.cached);
    });

    scene("reasoning", "counts reasoning apart from text and keeps it out of the text", async () => {
      const { answer } = await ask("reasoning");
      expect(answer).toMatchObject({ text: SCENE_TEXT, usage: world.usage.reasoning });
    });

    scene("length", "says when the answer was cut off at its token limit", async () => {
      expect((await ask("length")).answer.finishReason).toBe("length");
    });

    scene("no-usage", "reports usage as unknown when none came", async () => {
      const { answer } = await ask("no-usage");
      expect(answer).toMatchObject({ text: SCENE_TEXT, usage: null });
    });

    scene("absurd-usage", "reports usage as unknown when it is nonsense", async () => {
      expect((await ask("absurd-usage")).answer.usage).toBeNull();
    });

    scene("nul-and-surrogates", "replaces NUL and lone surrogates, which no database takes", async () => {
      const { answer, pieces } = await ask("nul-and-surrogates");
      expect(answer.text).toBe("a\uFFFDb\uFFFDc");
      if (streamed) expect(pieces.join("")).toBe(answer.text);
    });

    scene("filtered", "turns an answer withheld for its content into content-filtered", async () => {
      expect(await failure("filtered")).toMatchObject({ code: "content-filtered", retryable: false, fallsBack: false });
    });

    scene("empty", "turns an answer without content into a bad answer", async () => {
      expect(await failure("empty")).toMatchObject({ code: "bad-answer", retryable: true });
    });

    scene("rate-limited", "turns a rate limit into rate-limited, with the time to wait", async () => {
      expect(await failure("rate-limited")).toMatchObject({
        code: "rate-limited",
        retryable: true,
        statusCode: 429,
        retryAfterMs: SCENE_RETRY_AFTER_MS,
      });
    });

    scene("server-error", "turns a 5xx into provider-error, which may be tried again", async () => {
      expect(await failure("server-error")).toMatchObject({ code: "provider-error", retryable: true, fallsBack: true });
    });

    scene("rejected", "turns a 400 into provider-rejected, which is neither tried again nor elsewhere", async () => {
      expect(await failure("rejected")).toMatchObject({ code: "provider-rejected", retryable: false, fallsBack: false, statusCode: 400 });
    });

    scene("not-found", "turns a 404 into provider-rejected, which another target may serve", async () => {
      expect(await failure("not-found")).toMatchObject({ code: "provider-rejected", retryable: false, fallsBack: true, statusCode: 404 });
    });

    scene("unauthorized", "turns a refused key into unauthorized without showing it", async () => {
      expect(await failure("unauthorized")).toMatchObject({
        code: "unauthorized",
        retryable: false,
        fallsBack: true,
        statusCode: world.refusedKeyStatus ?? 401,
      });
    });

    scene("garbage", "turns a body that is not the vendor's format into a bad answer", async () => {
      expect(await failure("garbage")).toMatchObject({ code: "bad-answer", retryable: true, usage: null });
    });

    scene("html", "turns a web page into a bad answer", async () => {
      expect(await failure("html")).toMatchObject({ code: "bad-answer" });
    });

    scene("nothing", "turns an empty body into a bad answer", async () => {
      expect(await failure("nothing")).toMatchObject({ code: "bad-answer" });
    });

    scene("cut", "turns a connection that breaks in the answer into stream-interrupted", async () => {
      expect(await failure("cut")).toMatchObject({ code: "stream-interrupted", retryable: true });
    });

    scene("silence", "gives a request up as soon as its signal aborts", async () => {
      const controller = new AbortController();
      const waiting = failure("silence", controller.signal);
      setTimeout(() => controller.abort(new Error("enough")), 20);
      expect(await waiting).toMatchObject({ code: "aborted", retryable: false });
    });

    scene("stall", "gives a stream up that falls silent after its first text", async () => {
      if (streamed) return expect(await failure("stall")).toMatchObject({ code: "provider-timeout", retryable: true });
      const controller = new AbortController();
      const waiting = failure("stall", controller.signal);
      setTimeout(() => controller.abort(), 20);
      expect(await waiting).toMatchObject({ code: "aborted" });
    });

    scene("error-in-stream", "turns an error in the middle of a stream into provider-error", async () => {
      expect(await failure("error-in-stream")).toMatchObject({ code: "provider-error", retryable: true });
    });

    scene("endless", "cuts an answer without end", async () => {
      expect(await failure("endless")).toMatchObject({ code: "answer-too-large", retryable: false });
    });

    it("sends nothing when the signal has aborted already", async () => {
      expect(await failure("text", AbortSignal.abort())).toMatchObject({ code: "aborted" });
    });
  });
}
