import type { CostGroup, CostReport } from "@flow-run/spec";

export interface CostQuestion {
  environment: string;
  groupBy: readonly CostGroup[];
  /** Days, YYYY-MM-DD, both included; null: as `CostQuery` says. */
  from: string | null;
  to: string | null;
}

/** What runs have cost: exact sums of what was booked, whether the runs are still kept or not. */
export interface CostStore {
  report(question: CostQuestion): Promise<CostReport>;
}
