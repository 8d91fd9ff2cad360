import { type CallModelOptions, callModel } from "../resilience/index.ts";
import { recordAttempts } from "./ended-attempts.ts";
import { ManualClock } from "./manual-clock.ts";
import type { ScriptedProvider } from "./scripted-provider.ts";

/** Calls of scripted providers at one clock. */
export class CallLab {
  readonly clock = new ManualClock();

  call(providers: { [name: string]: ScriptedProvider }, more: Partial<CallModelOptions> = {}) {
    const record = recordAttempts();
    const answer = callModel({
      targets: Object.keys(providers).map((provider) => ({ provider, model: "m" })),
      providers: (name) => providers[name]!,
      request: { messages: [{ role: "user", content: [{ text: "hello" }] }], config: {} },
      timeoutMs: 30_000,
      retries: 0,
      signal: new AbortController().signal,
      clock: this.clock,
      random: () => 0,
      hooks: record.hooks,
      ...more,
    });
    answer.catch(() => {});
    return { answer, ...record };
  }

  /** Lets everything that is awake have its turn, then moves the clock. */
  async pass(ms: number): Promise<void> {
    await turnOfTheLoop();
    this.clock.advance(ms);
    await turnOfTheLoop();
  }
}

export const turnOfTheLoop = () => new Promise<void>((resolve) => setImmediate(resolve));
