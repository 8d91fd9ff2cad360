// Ends or freezes this process at a named moment of a run, so that tests can prove what survives it. Loaded only when FLOW_RUN_TEST_FAULT is set.
import { writeSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { FlowRunError } from "@flow-run/spec";
import type { ClaimedRun, Journal, Store } from "./store/index.ts";

/**
 * - `before-accept`, `after-accept`: a run is about to be committed; is committed, and its 202 not yet sent
 * - `before-record`, `after-record`: an answer of a model or to an http step has arrived and the commit that records it is about to be sent; has been made
 * - `before-end`, `inside-end`, `after-end`: the same for the commit that ends the run; `inside` has handed it to the database and does not wait
 */
const MOMENTS = ["before-accept", "after-accept", "before-record", "after-record", "before-end", "inside-end", "after-end"] as const;
type Moment = (typeof MOMENTS)[number];

/** `kill` is SIGKILL, `stop` is SIGSTOP. */
const SIGNALS = { kill: "SIGKILL", stop: "SIGSTOP" } as const;

/** `MOMENT[@FLOW]:ACTION[:NTH]`, for example `before-record:kill:2`: at the second such moment of this process; with a flow, of its runs alone. */
export function withTestFault(store: Store, specification: string): Store {
  const [where, action, nth = "1"] = specification.split(":") as [string, keyof typeof SIGNALS, string?];
  const [moment, flow] = where.split("@") as [Moment, string?];
  if (!MOMENTS.includes(moment) || !(action in SIGNALS)) {
    throw new FlowRunError(
      "bad-test-fault",
      `FLOW_RUN_TEST_FAULT=${specification}: write MOMENT[@FLOW]:ACTION[:NTH], with ${MOMENTS.join(", ")} and kill or stop.`,
    );
  }
  let left = Number(nth);
  const at = (reached: Moment, of?: string) => {
    if (reached !== moment || (flow !== undefined && flow !== of) || --left !== 0) return;
    writeSync(2, `test fault ${specification}\n`);
    process.kill(process.pid, SIGNALS[action]);
  };
  return override(store, {
    async submitRun(run) {
      at("before-accept", run.flow);
      const submitted = await store.submitRun(run);
      at("after-accept", run.flow);
      return submitted;
    },
    journal(run: ClaimedRun, onProgress?: () => void) {
      return faultyJournal(store.journal(run, onProgress), (reached) => at(reached, run.flow));
    },
  });
}

function faultyJournal(journal: Journal, at: (reached: Moment) => void): Journal {
  let answered = false;
  let ending = false;
  return override(journal, {
    appendStep(step) {
      if (step.kind === "http") answered = true;
      return journal.appendStep(step);
    },
    appendAttemptEnd(attempt) {
      answered = true;
      journal.appendAttemptEnd(attempt);
    },
    appendEnd(end) {
      ending = true;
      journal.appendEnd(end);
    },
    async commit() {
      const [records, ends] = [answered, ending];
      answered = false;
      if (records && !ends) at("before-record");
      if (ends) at("before-end");
      const committed = journal.commit();
      if (ends) {
        // Two turns: in the first the statement is gathered, in the second it is on its way.
        void turn()
          .then(() => turn())
          .then(() => at("inside-end"));
      }
      await committed;
      if (records && !ends) at("after-record");
      if (ends) at("after-end");
    },
  });
}

/** The same object with some of its methods replaced. */
function override<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      if (name in methods) return methods[name as keyof T];
      const value = target[name as keyof T];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
