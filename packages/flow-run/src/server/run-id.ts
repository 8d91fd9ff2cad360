import { randomFillSync } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_CHARS = 10;
const RANDOM_CHARS = 16;
const POOL_BYTES = RANDOM_CHARS * 256;

/**
 * Makes ids of runs: `run_` and a ULID in lower case (48 bits of milliseconds, 80 random bits). They sort by time of creation, within one millisecond too
 * when they come from one maker: then the random part counts up.
 */
export function createRunIds(now: () => number = Date.now, fill: (bytes: Uint8Array) => void = randomFillSync): () => string {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  let lastMs = -1;
  let time = "";
  const digits = new Uint8Array(RANDOM_CHARS);

  return () => {
    const ms = Math.max(now(), lastMs);
    if (ms === lastMs) countUp(digits);
    else {
      if (used === POOL_BYTES) {
        fill(pool);
        used = 0;
      }
      for (let i = 0; i < RANDOM_CHARS; i++) digits[i] = pool[used + i]! & 31;
      used += RANDOM_CHARS;
      lastMs = ms;
      time = timeText(ms);
    }
    let id = `run_${time}`;
    for (let i = 0; i < RANDOM_CHARS; i++) id += ALPHABET[digits[i]!];
    return id;
  };
}

function countUp(digits: Uint8Array): void {
  for (let i = RANDOM_CHARS - 1; i >= 0; i--) {
    if (digits[i] !== 31) {
      digits[i]! += 1;
      return;
    }
    digits[i] = 0;
  }
}

function timeText(ms: number): string {
  let text = "";
  let rest = ms;
  for (let i = 0; i < TIME_CHARS; i++) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
