/** A bounded memory of answers of the database: least recently used go first, and what is older than `maxAgeMs` is asked again. */
export class Kept<Value> {
  private readonly entries = new Map<string, { value: Promise<Value>; until: number }>();
  private readonly maxEntries: number;
  private readonly maxAgeMs: number;

  constructor(maxEntries: number, maxAgeMs = Number.POSITIVE_INFINITY) {
    this.maxEntries = maxEntries;
    this.maxAgeMs = maxAgeMs;
  }

  /** Concurrent callers share one question. A failed one is not kept, and one that was forgotten while it was asked is not kept either. */
  get(key: string, ask: () => Promise<Value>): Promise<Value> {
    const known = this.entries.get(key);
    if (known && performance.now() < known.until) {
      this.entries.delete(key);
      this.entries.set(key, known);
      return known.value;
    }
    const entry = { value: ask(), until: performance.now() + this.maxAgeMs };
    this.entries.delete(key);
    this.entries.set(key, entry);
    entry.value.catch(() => this.entries.get(key) === entry && this.entries.delete(key));
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.maxEntries) break;
      this.entries.delete(oldest);
    }
    return entry.value;
  }

  forget(key?: string): void {
    if (key === undefined) this.entries.clear();
    else this.entries.delete(key);
  }
}
