export interface BatcherOptions<Item, Answer> {
  /** Writes all items together. Answers in the order of the items, an `Error` for an item that failed; a rejection fails all of them. */
  write(items: readonly Item[]): Promise<readonly (Answer | Error)[]>;
  maxItems: number;
  /** Stops filling a batch at this weight; an item that is heavier alone goes alone. */
  maxWeight?: number;
  weigh?(item: Item): number;
  /** Batches on their way at once. Default 1, which also keeps their order. */
  maxInFlight?: number;
  /** How long the first item of a batch may wait for others. Default 0: until the end of the event-loop turn. */
  waitMs?: number;
}

interface Waiting<Item, Answer> {
  item: Item;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * Group commit: items that are added in one turn of the event loop, or while a batch is on its way, are written together. Under load batches grow by
 * themselves, at rest an item waits for nobody.
 */
export class Batcher<Item, Answer> {
  private readonly options: Required<BatcherOptions<Item, Answer>>;
  private readonly queue: Waiting<Item, Answer>[] = [];
  private inFlight = 0;
  private scheduled = false;
  private timer: NodeJS.Timeout | undefined;
  private idle: (() => void)[] = [];

  constructor(options: BatcherOptions<Item, Answer>) {
    this.options = { maxWeight: Number.POSITIVE_INFINITY, weigh: () => 0, maxInFlight: 1, waitMs: 0, ...options };
  }

  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.queue.push({ item, resolve, reject });
      if (this.options.waitMs > 0 && this.queue.length < this.options.maxItems)
        this.timer ??= setTimeout(() => this.schedule(), this.options.waitMs);
      else this.schedule();
    });
  }

  /** Resolves when everything added so far has been answered. */
  async drain(): Promise<void> {
    if (this.queue.length > 0) this.schedule();
    if (this.queue.length === 0 && this.inFlight === 0) return;
    await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private schedule(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.scheduled || this.inFlight >= this.options.maxInFlight) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      while (this.queue.length > 0 && this.inFlight < this.options.maxInFlight) void this.send(this.take());
    });
  }

  private take(): Waiting<Item, Answer>[] {
    const { maxItems, maxWeight, weigh } = this.options;
    let weight = 0;
    let count = 0;
    for (const { item } of this.queue) {
      weight += weigh(item);
      if (count > 0 && (count >= maxItems || weight > maxWeight)) break;
      count++;
    }
    return this.queue.splice(0, count);
  }

  private async send(batch: Waiting<Item, Answer>[]): Promise<void> {
    this.inFlight++;
    try {
      const answers = await this.options.write(batch.map((waiting) => waiting.item));
      for (const [index, waiting] of batch.entries()) {
        const answer = answers[index] as Answer | Error;
        if (answer instanceof Error) waiting.reject(answer);
        else waiting.resolve(answer);
      }
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    } finally {
      this.inFlight--;
      if (this.queue.length > 0) this.schedule();
      else if (this.inFlight === 0) for (const done of this.idle.splice(0)) done();
    }
  }
}
