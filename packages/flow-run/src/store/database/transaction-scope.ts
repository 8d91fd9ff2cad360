import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Catches the outer database being used from inside a transaction's work, wherever the call comes from. On one connection that statement would wait
 * for the transaction that waits for it; on a pool it would silently run outside of it.
 */
export class TransactionScope {
  private readonly storage = new AsyncLocalStorage<{ open: boolean }>();

  async run<T>(work: () => Promise<T>): Promise<T> {
    const scope = { open: true };
    try {
      return await this.storage.run(scope, work);
    } finally {
      scope.open = false; // timers started inside may go on later, and then are outside
    }
  }

  assertOutside(): void {
    if (this.storage.getStore()?.open)
      throw new Error("The database was used inside its own transaction. Use the transaction that was passed to the work.");
  }
}
