import { ModelCallError } from "../model-call-error.ts";
import type { Clock } from "./clock.ts";

/** A reason of our own: without one each abort makes an exception with a stack, on the path of every call. */
const ENDED = "the attempt has ended";

/** A signal that aborts when the caller's does, with `provider-timeout` when the attempt's time is up, and at `end`, which stops the clock. */
export class AttemptDeadline {
  private readonly controller = new AbortController();
  private readonly outer: AbortSignal;

  constructor(outer: AbortSignal, timeoutMs: number, clock: Clock) {
    this.outer = outer;
    if (outer.aborted) this.forward();
    outer.addEventListener("abort", this.forward, { once: true });
    clock.sleep(timeoutMs, this.controller.signal).then(
      () => this.controller.abort(new ModelCallError("provider-timeout", `The model did not answer within ${timeoutMs} ms.`)),
      () => {},
    );
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  end(): void {
    this.outer.removeEventListener("abort", this.forward);
    this.controller.abort(ENDED);
  }

  private readonly forward = () => this.controller.abort(this.outer.reason);
}
