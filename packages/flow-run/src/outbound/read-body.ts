import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { OutboundError } from "./outbound-error.ts";

type Decompress = (bytes: Buffer, options: { maxOutputLength: number }, done: (error: Error | null, result: Buffer) => void) => void;

const DECOMPRESS: ReadonlyMap<string, Decompress> = new Map<string, Decompress>([
  ["gzip", gunzip],
  ["x-gzip", gunzip],
  ["deflate", inflate],
  ["br", brotliDecompress],
]);

/** Encodings that `readBody` understands, for the header accept-encoding. */
export const ACCEPTED_ENCODINGS = "gzip, deflate, br";

/** Reads a body whole, decompressed. Throws OutboundError `answer-too-large` as soon as it is longer than `maxBytes`, on the wire or unpacked; `bad-answer`. */
export async function readBody(body: AsyncIterable<Buffer>, encoding: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks, size);
  if (encoding === "" || encoding === "identity" || size === 0) return bytes;
  const decompress = DECOMPRESS.get(encoding);
  if (decompress === undefined) {
    throw new OutboundError(
      "bad-answer",
      `The answer comes in an encoding that is not understood: ${JSON.stringify(encoding.slice(0, 40))}.`,
    );
  }
  return new Promise((resolve, reject) => {
    decompress(bytes, { maxOutputLength: maxBytes }, (error, result) => {
      if (error === null) resolve(result);
      else if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") reject(tooLarge(maxBytes));
      else reject(new OutboundError("bad-answer", `The answer is not valid ${encoding}.`, { cause: error }));
    });
  });
}

/** Reads the beginning of a body and leaves the rest. */
export async function readBeginning(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= maxBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}

function tooLarge(maxBytes: number): OutboundError {
  return new OutboundError("answer-too-large", `The answer is longer than ${maxBytes} bytes.`);
}
