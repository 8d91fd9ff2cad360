// Loaded into a server by `--import`: a machine whose clock is wrong. CLOCK_SHIFT_MS is by how much; SIGUSR2 turns it to the other side in the middle of
// everything. Timers and performance.now() go on as they do on a real machine whose clock jumps.

const RealDate = Date;
let shiftMs = Number(process.env.CLOCK_SHIFT_MS ?? 0);
process.on("SIGUSR2", () => {
  shiftMs = -shiftMs;
});

globalThis.Date = class extends RealDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(RealDate.now() + shiftMs);
    else super(...(given as [number]));
  }

  static override now(): number {
    return RealDate.now() + shiftMs;
  }
} as DateConstructor;
