import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { ModelCallError } from "../model-call-error.ts";
import { tooLargeError } from "./http-errors.ts";
import type { BodySink } from "./http-fetch.ts";

const DECOMPRESSORS: { [encoding: string]: () => Transform } = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** So much may wait for a slow reader before the socket is held back. */
const HIGH_WATER_BYTES = 256 * 1024;

/** Hands a body on while it arrives, decompressed, never beyond `maxBytes`. A slow reader holds the socket back; a cancelled one gives it up. */
export function streamBody(
  encoding: string,
  maxBytes: number,
  source: { resume(): void; stop(error: Error): void },
): { sink: BodySink; stream: ReadableStream<Uint8Array> } {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let over = false;
  let size = 0;
  const decompressor = encoding === "" || encoding === "identity" ? null : (DECOMPRESSORS[encoding]?.() ?? null);

  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      pull() {
        decompressor?.resume();
        source.resume();
      },
      cancel() {
        over = true;
        decompressor?.destroy();
        source.stop(new ModelCallError("aborted", "The answer is no longer wanted."));
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_BYTES }),
  );

  const push = (chunk: Buffer): boolean => {
    // A parser that resumes from a pause begins with an empty piece; to pause again for it would never end.
    if (over || chunk.length === 0) return true;
    size += chunk.length;
    if (size > maxBytes) {
      source.stop(tooLargeError(maxBytes));
      return true;
    }
    controller.enqueue(chunk);
    return (controller.desiredSize ?? 0) > 0;
  };
  const close = () => {
    if (over) return;
    over = true;
    controller.close();
  };

  if (decompressor !== null) {
    decompressor.on("data", (chunk: Buffer) => {
      if (!push(chunk)) decompressor.pause();
    });
    decompressor.on("end", close);
    decompressor.on("drain", () => source.resume());
    decompressor.on("error", (error) =>
      source.stop(new ModelCallError("bad-answer", `The answer is not valid ${encoding}.`, { cause: error })),
    );
  }

  const sink: BodySink = {
    write: decompressor === null ? push : (chunk) => over || chunk.length === 0 || decompressor.write(chunk),
    end: decompressor === null ? close : () => void decompressor.end(),
    fail(error) {
      if (over) return;
      over = true;
      decompressor?.destroy();
      controller.error(error);
    },
  };
  return { sink, stream };
}
