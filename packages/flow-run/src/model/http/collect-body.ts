import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";
import { ModelCallError } from "../model-call-error.ts";
import { tooLargeError } from "./http-errors.ts";
import type { BodySink } from "./http-fetch.ts";

type Decompress = (bytes: Buffer, options: { maxOutputLength: number }, done: (error: Error | null, result: Buffer) => void) => void;

const DECOMPRESS: { [encoding: string]: Decompress } = {
  gzip: gunzip,
  "x-gzip": gunzip,
  deflate: inflate,
  br: brotliDecompress,
  zstd: zstdDecompress,
};

/** Gathers a body whole and decompresses it at the end, never beyond `maxBytes`. */
export function collectBody(
  encoding: string,
  maxBytes: number,
  done: { complete(bytes: Uint8Array): void; failed(error: Error): void },
): BodySink {
  const chunks: Buffer[] = [];
  let size = 0;
  let over = false;
  return {
    write(chunk) {
      if (over) return true;
      size += chunk.length;
      chunks.push(chunk);
      if (size > maxBytes) done.failed(tooLargeError(maxBytes));
      return true;
    },
    end() {
      if (over) return;
      over = true;
      const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
      if (encoding === "" || encoding === "identity" || size === 0) return done.complete(bytes);
      const decompress = DECOMPRESS[encoding];
      if (decompress === undefined)
        return done.failed(new ModelCallError("bad-answer", `The answer comes in an unknown encoding: ${encoding.slice(0, 40)}.`));
      decompress(bytes, { maxOutputLength: maxBytes }, (error, result) => {
        if (error === null) return done.complete(result);
        const tooLarge = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
        done.failed(
          tooLarge ? tooLargeError(maxBytes) : new ModelCallError("bad-answer", `The answer is not valid ${encoding}.`, { cause: error }),
        );
      });
    },
    fail() {
      over = true;
      chunks.length = 0;
    },
  };
}
