import type { Order } from "./peers/contestant.ts";
import { contestant, kill } from "./processes.ts";

export interface PeerProcess {
  /** Resolves with what it printed, when it ended well. */
  ended: Promise<string>;
  /** As a crash would. Resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts the contestant in `file`. It is killed when it takes longer than it may. */
export function startPeer(file: string, order: Order, patienceSeconds: number): PeerProcess {
  const child = contestant(file, order);
  let late = false;
  let out = "";
  let complaint = "";
  child.stdout!.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr!.on("data", (chunk) => {
    complaint = (complaint + chunk).slice(-20_000);
  });
  const timer = setTimeout(() => {
    late = true;
    kill(child);
  }, patienceSeconds * 1000);
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const ended = closed.then((code) => {
    clearTimeout(timer);
    if (code === 0) return out;
    if (code !== null) console.error(complaint);
    throw new Error(late ? `it did not end within ${patienceSeconds} s` : `it ended with ${code ?? "a signal"}`);
  });
  // Who kills it does not ask for the end.
  ended.catch(() => {});
  return {
    ended,
    async kill() {
      kill(child);
      await closed;
    },
  };
}
