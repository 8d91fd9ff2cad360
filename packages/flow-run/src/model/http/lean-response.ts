type HeaderFields = Record<string, string | string[] | undefined>;

/**
 * As much of `Response` as the vendors' libraries touch. The real one costs more than the request: most of the time of a short answer would go
 * into streams and header objects that nobody needs.
 */
export class LeanResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly statusText = "";
  readonly redirected = false;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  private readonly bytes: Uint8Array | null;

  constructor(status: number, headers: HeaderFields, body: Uint8Array | ReadableStream<Uint8Array>) {
    this.status = status;
    this.ok = status >= 200 && status < 300;
    this.headers = new LeanHeaders(headers) as unknown as Headers;
    this.bytes = body instanceof Uint8Array ? body : null;
    this.body = body instanceof Uint8Array ? (new WholeBody(body) as unknown as ReadableStream<Uint8Array>) : body;
  }

  async text(): Promise<string> {
    if (this.bytes !== null) return new TextDecoder().decode(this.bytes);
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of this.body!) text += decoder.decode(chunk, { stream: true });
    return text + decoder.decode();
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
}

class LeanHeaders {
  private readonly fields: HeaderFields;

  constructor(fields: HeaderFields) {
    this.fields = fields;
  }

  get(name: string): string | null {
    const value = this.fields[name.toLowerCase()];
    return value === undefined ? null : String(value);
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  entries(): ArrayIterator<[string, string]> {
    return Object.entries(this.fields)
      .map(([name, value]): [string, string] => [name, String(value)])
      .values();
  }

  [Symbol.iterator](): ArrayIterator<[string, string]> {
    return this.entries();
  }
}

/** A body that is here already, read once. */
class WholeBody {
  private bytes: Uint8Array | null;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  getReader(): { read(): Promise<{ done: boolean; value: Uint8Array | undefined }>; cancel(): Promise<void>; releaseLock(): void } {
    return {
      read: async () => {
        const value = this.bytes ?? undefined;
        this.bytes = null;
        return { done: value === undefined, value };
      },
      cancel: async () => {},
      releaseLock: () => {},
    };
  }

  async cancel(): Promise<void> {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    if (this.bytes !== null) yield this.bytes;
  }
}
