import { z } from "zod";

/** Answer of `/readyz`; `reasons` says why the server takes no runs. */
export const readinessSchema = z.object({ status: z.enum(["ready", "not-ready"]), reasons: z.array(z.string()) });
export type Readiness = z.infer<typeof readinessSchema>;

export const healthSchema = z.object({ status: z.literal("ok"), version: z.string() });
export type Health = z.infer<typeof healthSchema>;
