import { setTimeout as pause } from "node:timers/promises";
import type { House } from "./house.ts";
import type { FaultKind, PlannedFault } from "./plan.ts";
import type { ServerSlot } from "./server-slot.ts";

/** A fault as it was. */
export interface PerformedFault {
  kind: FaultKind;
  /** The server it was done to; null: all of them. */
  server: string | null;
  fromMs: number;
  toMs: number;
  /** Whether it hit anything, as far as that can be told at once. */
  fired: boolean;
}

/** How long a lost answer is waited for: some statement of that kind must pass. */
const LOSS_WITHIN_MS = 10_000;

/** Does one fault from its beginning to its end, and heals what it harmed. */
export async function perform(house: House, fault: PlannedFault): Promise<PerformedFault> {
  const { kind, target, holdMs } = fault;
  const worker = house.workers[target % house.workers.length]!;
  const door = house.doors[target % house.doors.length]!;
  const fromMs = Date.now();
  const done = (server: ServerSlot | null, fired: boolean) => ({ kind, server: server?.name ?? null, fromMs, toMs: Date.now(), fired });
  switch (kind) {
    case "kill-worker":
    case "kill-door": {
      const slot = kind === "kill-door" ? door : worker;
      await slot.kill();
      await pause(holdMs);
      await slot.start();
      return done(slot, true);
    }
    case "freeze-worker":
      worker.freeze();
      await pause(holdMs);
      worker.thaw();
      return done(worker, true);
    case "cut-worker":
    case "hang-worker": {
      const { cable } = worker.site;
      if (cable) await cable.pull();
      else if (kind === "cut-worker") worker.link.partition();
      else worker.link.hang();
      await pause(holdMs);
      await cable?.plug();
      worker.link.heal();
      return done(worker, true);
    }
    case "slow-link":
      worker.link.delay(400);
      await pause(holdMs);
      worker.link.heal();
      return done(worker, true);
    case "reset-link":
      return done(worker, await resetConnections(worker));
    case "lose-commit":
      // A worker with nothing to do records nothing; it still asks for work.
      return done(worker, (await lostAnswer(worker, "record-progress")) || (await lostAnswer(worker, "claim-runs")));
    case "lose-accept":
      return done(door, await lostAnswer(door, "submit-runs"));
    case "connection-storm":
      return done(null, (await storm(house, holdMs)) > 0);
    case "database-crash":
      await house.postgres.halt("immediate");
      await pause(holdMs);
      await house.postgres.start();
      return done(null, true);
    case "deploy":
      return done(null, await rollingDeploy(house));
  }
}

/** The present connections; the first ones, where the process has only just begun. */
async function resetConnections(slot: ServerSlot): Promise<boolean> {
  for (const untilMs = Date.now() + LOSS_WITHIN_MS; Date.now() < untilMs; await pause(50)) if (slot.link.reset() > 0) return true;
  return false;
}

/** The next such statement is committed, and its answer never arrives. */
function lostAnswer(slot: ServerSlot, statement: string): Promise<boolean> {
  return Promise.race([slot.link.loseAnswerOf(statement).then(() => true), pause(LOSS_WITHIN_MS, false)]);
}

/** Ends all sessions of servers, ten times a second. Returns how many. */
function storm(house: House, forMs: number): Promise<number> {
  return house.asAdmin(async (admin) => {
    let ended = 0;
    for (const until = Date.now() + forMs; Date.now() < until; await pause(100)) {
      const { rowCount } = await admin.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'flow-run%' AND pid <> pg_backend_pid()",
      );
      ended += rowCount ?? 0;
    }
    return ended;
  });
}

/** A new release, and a new process for every server while everything goes on: first the doors in turn, then the workers. True when all left in good order. */
async function rollingDeploy(house: House): Promise<boolean> {
  const before = house.releases.size;
  await house.deploy();
  const codes: (number | null)[] = [];
  for (const door of house.doors) codes.push(await door.replace());
  codes.push(...(await Promise.all(house.workers.map((worker) => worker.replace()))));
  return house.releases.size === before + 1 && codes.every((code) => code === 0);
}

/** Everything is well again: nobody is frozen, cut off or down. */
export function heal(house: House): void {
  for (const slot of house.slots) {
    slot.thaw();
    slot.link.heal();
  }
}
