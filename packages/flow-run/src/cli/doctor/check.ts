import type { CommonOptions } from "../program.ts";

/** One thing that was looked at. `detail` says what was found and, unless all is well, what to do. */
export interface Check {
  name: string;
  status: "ok" | "warning" | "failed";
  detail: string;
}

export interface DoctorOptions extends CommonOptions {
  env?: string;
  dataDir?: string;
  offline?: boolean;
}
