import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import type { CachedAnswer, CacheKey, ResponseCache } from "./response-cache.ts";

/** Answers in a directory, one file each, for runs on a laptop. A file's modification time is the moment at which it expires. */
export class FileResponseCache implements ResponseCache {
  private readonly directory: string;
  private readonly now: () => number;
  private readonly writing = new Set<Promise<void>>();

  constructor(directory: string, now: () => number) {
    this.directory = directory;
    this.now = now;
  }

  async get({ environment, key, ttlMs }: CacheKey): Promise<CachedAnswer | null> {
    try {
      const { keptAtMs, ...answer } = JSON.parse(await readFile(this.fileOf(environment, key), "utf8")) as CachedAnswer & {
        keptAtMs: number;
      };
      return keptAtMs + ttlMs > this.now() ? answer : null;
    } catch {
      return null;
    }
  }

  put({ environment, key, ttlMs }: CacheKey, answer: CachedAnswer): void {
    const written = this.write(this.fileOf(environment, key), { ...answer, keptAtMs: this.now() }, ttlMs)
      .catch(() => {})
      .finally(() => this.writing.delete(written));
    this.writing.add(written);
  }

  /** Resolves when everything is written; if something was, what has expired is removed. */
  async close(): Promise<void> {
    if (this.writing.size === 0) return;
    await Promise.all(this.writing);
    for (const name of await readdir(this.directory, { recursive: true })) {
      const file = path.join(this.directory, name);
      const found = await stat(file).catch(() => null);
      if (found?.isFile() && found.mtimeMs < this.now()) await rm(file, { force: true });
    }
  }

  private fileOf(environment: string, key: string): string {
    return path.join(this.directory, encodeURIComponent(environment), `${key}.json`);
  }

  private async write(file: string, content: object, ttlMs: number): Promise<void> {
    await mkdir(path.dirname(file), { recursive: true });
    const part = `${file}.${randomUUID()}`;
    await writeFile(part, JSON.stringify(content));
    const expires = new Date(this.now() + ttlMs);
    await utimes(part, expires, expires);
    await rename(part, file);
  }
}
