/** A list of callbacks. One that throws does not keep the others from being called; its error is handed to `onError`. */
export class Callbacks<Args extends unknown[]> {
  private readonly callbacks = new Set<(...args: Args) => void>();
  private readonly onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.onError = onError;
  }

  /** Returns what removes it again. */
  add(callback: (...args: Args) => void): () => void {
    const own = (...args: Args) => callback(...args);
    this.callbacks.add(own);
    return () => void this.callbacks.delete(own);
  }

  call(...args: Args): void {
    for (const callback of this.callbacks) {
      try {
        callback(...args);
      } catch (error) {
        this.onError(error);
      }
    }
  }
}
