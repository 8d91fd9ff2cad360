import { ModelCallError } from "../model-call-error.ts";
import type { Clock } from "./clock.ts";

/** A signal that aborts when the caller's does, and with `provider-timeout` when the attempt's time is up before its `end`. */
export class AttemptDeadline {
  private readonly controller = new AbortController();
  private readonly outer: AbortSignal;
  private readonly callOff: () => void;

  constructor(outer: AbortSignal, timeoutMs: number, clock: Clock) {
    this.outer = outer;
    if (outer.aborted) this.forward();
    outer.addEventListener("abort", this.forward, { once: true });
    this.callOff = callAfter(clock, timeoutMs, () =>
      this.controller.abort(new ModelCallError("provider-timeout", `The model did not answer within ${timeoutMs} ms.`)),
    );
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  end(): void {
    this.outer.removeEventListener("abort", this.forward);
    this.callOff();
  }

  private readonly forward = () => this.controller.abort(this.outer.reason);
}

function callAfter(clock: Clock, ms: number, callback: () => void): () => void {
  if (clock.timer) return clock.timer(ms, callback);
  const over = new AbortController();
  clock.sleep(ms, over.signal).then(callback, () => {});
  return () => over.abort("called off");
}
