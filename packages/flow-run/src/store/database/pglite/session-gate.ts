import { AsyncLocalStorage } from "node:async_hooks";

interface Waiting {
  alone: boolean;
  start: () => Promise<void>;
}

/**
 * Orders the uses of the one session, first come, first served. Plain statements pass freely and are answered in order; a transaction or a script has
 * the session to itself from its first statement to its last.
 */
export class SessionGate {
  private readonly waiting: Waiting[] = [];
  private taken = false;

  shared<T>(work: () => Promise<T>): Promise<T> {
    return this.taken || this.waiting.length > 0 ? this.enter(false, work) : work();
  }

  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.enter(true, work);
  }

  private enter<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    const inCallersContext = AsyncLocalStorage.snapshot();
    return new Promise<T>((resolve, reject) => {
      this.waiting.push({ alone, start: () => inCallersContext(work).then(resolve, reject) });
      this.letIn();
    });
  }

  private letIn(): void {
    while (!this.taken) {
      const next = this.waiting.shift();
      if (!next) return;
      const done = next.start();
      if (!next.alone) continue;
      this.taken = true;
      void done.then(() => {
        this.taken = false;
        this.letIn();
      });
    }
  }
}
