import type { CronExpression } from "cron-parser";
import { readCron } from "./read-cron.ts";
import { offsetsOf } from "./timezone.ts";

/** The moments at which a schedule is due. All times are epoch milliseconds; ticks are whole seconds. */
export interface Ticks {
  /** The first tick after a moment; null when there is none within some decades. Depends on nothing but the moment. */
  next(afterMs: number): number | null;
  /** The last tick after `afterMs` and not after `untilMs`. */
  last(afterMs: number, untilMs: number): number | null;
}

/** The zone's clocks are turned at `at`; offsets in milliseconds. */
interface Transition {
  at: number;
  before: number;
  after: number;
}

const SECOND = 1_000;
/** Longer than any clock was ever turned at once. */
const DAY = 86_400_000;
const ALL_HOURS = 24;

/**
 * The ticks of a cron expression on the clocks of a time zone. Where clocks are turned, RFC 5545 (§3.3.5) is followed: a local time that is skipped is due
 * as if the clocks had not been turned yet (02:30 becomes 03:30), one that comes twice is due the first time. Expressions for every hour go by what the
 * clocks show instead: every quarter of an hour stays every quarter of an hour. Throws for an expression or a zone that `readCron` or `isTimezone` refuse.
 */
export function findTicks(cron: string, timezone: string): Ticks {
  const reading = readCron(cron);
  if ("problem" in reading) throw new RangeError(reading.problem);
  return new ZonedTicks(reading.expression, offsetsOf(timezone));
}

class ZonedTicks implements Ticks {
  /** Evaluated in UTC only, where no clock is turned: its times are read as local ones. */
  private readonly expression: CronExpression;
  private readonly offset: (instantMs: number) => number;
  private readonly everyHour: boolean;

  constructor(expression: CronExpression, offset: (instantMs: number) => number) {
    this.expression = expression;
    this.offset = offset;
    this.everyHour = expression.fields.hour.values.length === ALL_HOURS;
  }

  next(afterMs: number): number | null {
    let from = Math.floor(afterMs / SECOND) * SECOND;
    let offset = this.offset(from);
    let turned = this.transition(from - DAY, from);
    for (;;) {
      const tick = this.nextBetweenTransitions(from, offset, turned);
      if (tick === null) return null;
      const turning = this.transition(from, tick, offset);
      if (turning === null) return tick;
      from = turning.at - SECOND;
      offset = turning.after;
      turned = turning;
    }
  }

  last(afterMs: number, untilMs: number): number | null {
    let tick = this.next(afterMs);
    if (tick === null || tick > untilMs) return null;
    // There is none after `high`; half of what is between is left out each time.
    for (let high = untilMs; high - tick >= SECOND; ) {
      const middle = (tick + high) / 2;
      const later = this.next(middle);
      if (later === null || later > untilMs) high = middle;
      else tick = later;
    }
    return tick;
  }

  /** Taking the offset for granted, and knowing when it came to be so, if that was lately. */
  private nextBetweenTransitions(from: number, offset: number, turned: Transition | null): number | null {
    let localFrom = from + offset;
    let skipped: number | null = null;
    if (turned !== null && !this.everyHour) {
      // What came before the clocks were turned back does not come again.
      if (turned.after < turned.before) localFrom = Math.max(localFrom, turned.at + turned.before - SECOND);
      else {
        const local = this.nextLocal(Math.max(from, turned.at - SECOND) + turned.before);
        if (local !== null && local < turned.at + turned.after) skipped = local - turned.before;
      }
    }
    const local = this.nextLocal(localFrom);
    if (local === null) return skipped;
    return skipped === null ? local - offset : Math.min(local - offset, skipped);
  }

  private nextLocal(afterMs: number): number | null {
    this.expression.reset(new Date(afterMs));
    try {
      return this.expression.next().getTime();
    } catch {
      // The parser gave up looking.
      return null;
    }
  }

  /** The first time that clocks are turned after `from`, where `offset` holds, and not after `until`. */
  private transition(from: number, until: number, offset = this.offset(from)): Transition | null {
    for (let day = from; day < until; ) {
      const end = Math.min(day + DAY, until);
      if (this.offset(end) !== offset) return this.transitionWithin(day, end, offset);
      day = end;
    }
    return null;
  }

  private transitionWithin(from: number, until: number, before: number): Transition {
    let [low, high] = [from, until];
    while (high - low > SECOND) {
      const middle = Math.floor((low + high) / 2 / SECOND) * SECOND;
      if (this.offset(middle) === before) low = middle;
      else high = middle;
    }
    return { at: high, before, after: this.offset(high) };
  }
}
