import { FlowRunError } from "@flow-run/spec";

/** Money and tokens. Integer nano-dollars; all buckets of tokens together. */
export interface Spending {
  costNanoUsd: number;
  tokens: number;
}

/** What a call may cost. `costNanoUsd` null: the model has no known price. */
export interface CallEstimate {
  costNanoUsd: number | null;
  tokens: number;
}

export interface BudgetLimits {
  costNanoUsd?: number;
  tokens?: number;
}

/** A place in a budget, kept for one call. Ends once, by whichever of the two comes first. */
export interface BudgetReservation {
  readonly estimate: CallEstimate;
  /** Books what the call has cost. */
  settle(actual: Spending): void;
  /** No call came of it. */
  release(): void;
}

interface Waiting {
  budget: Budget;
  estimate: CallEstimate;
  admit(): void;
  refuse(error: FlowRunError): void;
}

/**
 * What one execution of a workflow may spend, and within it the workflows that it runs. A call is made only when spent + reserved + its estimate stay
 * within the limits of all budgets around it; then its estimate is reserved until it is settled. So calls that run at the same time cannot overspend
 * together. Who does not fit waits for those under way, and is refused when there are none.
 */
export class Budget {
  private readonly flow: string;
  private readonly limits: BudgetLimits;
  private readonly spent: Spending;
  private readonly reserved: Spending = { costNanoUsd: 0, tokens: 0 };
  private readonly parent: Budget | null;
  /** Of all budgets of a tree together, in the order of asking. */
  private readonly waiting: Set<Waiting>;
  private underWay = 0;

  constructor(flow: string, limits: BudgetLimits, spent: Spending, parent: Budget | null) {
    this.flow = flow;
    this.limits = limits;
    this.spent = { ...spent };
    this.parent = parent;
    this.waiting = parent?.waiting ?? new Set();
  }

  /** Whether a price has to be known. */
  get limitsCost(): boolean {
    return this.limits.costNanoUsd !== undefined || (this.parent?.limitsCost ?? false);
  }

  /** Resolves when the call may be made. Rejects with `limit-exceeded`, `unknown-price`, or the signal's reason. */
  async reserve(estimate: CallEstimate, signal: AbortSignal): Promise<BudgetReservation> {
    signal.throwIfAborted();
    if (!this.fits(estimate)) await this.inLine(estimate, signal);
    else this.keep(estimate);
    let open = true;
    const end = (actual: Spending) => {
      if (!open) return;
      open = false;
      this.end(estimate, actual);
    };
    return { estimate, settle: end, release: () => end({ costNanoUsd: 0, tokens: 0 }) };
  }

  /** False: not now. Throws when not at all. */
  private fits(estimate: CallEstimate): boolean {
    for (const budget of this.around()) {
      const over = budget.exceeds(estimate);
      if (over === null) continue;
      if (budget.underWay > 0 && over !== "price") return false;
      throw budget.refusal(over, estimate);
    }
    return true;
  }

  /** The place is kept in the moment in which it becomes free, before whoever asks next. */
  private inLine(estimate: CallEstimate, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiting.delete(waiting);
        signal.removeEventListener("abort", aborted);
      };
      const aborted = () => {
        leave();
        reject(signal.reason);
      };
      const waiting: Waiting = {
        budget: this,
        estimate,
        admit: () => {
          leave();
          this.keep(estimate);
          resolve();
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      this.waiting.add(waiting);
      signal.addEventListener("abort", aborted, { once: true });
    });
  }

  private keep(estimate: CallEstimate): void {
    for (const budget of this.around()) {
      budget.underWay++;
      add(budget.reserved, asSpending(estimate), 1);
    }
  }

  private end(estimate: CallEstimate, actual: Spending): void {
    for (const budget of this.around()) {
      budget.underWay--;
      add(budget.reserved, asSpending(estimate), -1);
      add(budget.spent, actual, 1);
    }
    for (const waiting of [...this.waiting]) {
      try {
        if (waiting.budget.fits(waiting.estimate)) waiting.admit();
      } catch (error) {
        waiting.refuse(error as FlowRunError);
      }
    }
  }

  private *around(): Generator<Budget> {
    for (let budget: Budget | null = this; budget !== null; budget = budget.parent) yield budget;
  }

  /** What the call would go beyond, beside what is spent and reserved; null when it fits. */
  private exceeds({ costNanoUsd, tokens }: CallEstimate): "price" | "costUsd" | "tokens" | null {
    const { limits, spent, reserved } = this;
    if (limits.costNanoUsd !== undefined) {
      if (costNanoUsd === null) return "price";
      if (spent.costNanoUsd + reserved.costNanoUsd + costNanoUsd > limits.costNanoUsd) return "costUsd";
    }
    return limits.tokens !== undefined && spent.tokens + reserved.tokens + tokens > limits.tokens ? "tokens" : null;
  }

  private refusal(over: "price" | "costUsd" | "tokens", estimate: CallEstimate): FlowRunError {
    const { flow, limits, spent, reserved } = this;
    if (over === "price") {
      return new FlowRunError(
        "unknown-price",
        `limits.costUsd of ${flow} cannot be kept: the price of the model is not known. Give the model a price in flow-run.yaml, or limit tokens instead.`,
      );
    }
    const key = over === "costUsd" ? "costNanoUsd" : "tokens";
    const show = over === "costUsd" ? usd : (count: number) => `${count} tokens`;
    return new FlowRunError(
      "limit-exceeded",
      `limits.${over} of ${flow} is ${show(limits[key]!)}: ${show(spent[key])} spent, ${show(reserved[key])} reserved by calls under way, and this call may ` +
        `take up to ${show(estimate[key]!)}. Raise the limit, or lower config.maxOutputTokens of the prompt.`,
    );
  }
}

/** Nano-dollars without an exponent and without zeros at the end. */
function usd(nanoUsd: number): string {
  return `$${(nanoUsd / 1e9).toFixed(9).replace(/\.?0+$/, "")}`;
}

function asSpending({ costNanoUsd, tokens }: CallEstimate): Spending {
  return { costNanoUsd: costNanoUsd ?? 0, tokens };
}

function add(sum: Spending, { costNanoUsd, tokens }: Spending, sign: 1 | -1): void {
  sum.costNanoUsd += sign * costNanoUsd;
  sum.tokens += sign * tokens;
}
