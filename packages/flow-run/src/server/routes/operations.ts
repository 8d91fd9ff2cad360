import { healthSchema, readinessSchema } from "@flow-run/spec";
import { z } from "zod";
import type { HttpApp } from "../http-app.ts";
import { answers } from "../route-schema.ts";
import type { ServerContext } from "../server-context.ts";

/** Health and metrics, for whoever operates the server. Public: they tell no content. */
export function operationRoutes(app: HttpApp, context: ServerContext): void {
  app.get(
    "/healthz",
    {
      schema: {
        operationId: "health",
        tags: ["operations"],
        summary: "Whether the process lives",
        response: { 200: answers(healthSchema, "It does.") },
      },
    },
    async () => ({ status: "ok" as const, version: context.version }),
  );

  app.get(
    "/readyz",
    {
      schema: {
        operationId: "readiness",
        tags: ["operations"],
        summary: "Whether the server takes runs",
        response: { 200: answers(readinessSchema, "It does."), 503: answers(readinessSchema, "It does not, for these reasons.") },
      },
    },
    async (_request, reply) => {
      const reasons = await context.readiness.reasons();
      reply.header("cache-control", "no-store");
      if (reasons.length === 0) return { status: "ready" as const, reasons };
      return reply.code(503).header("retry-after", "1").send({ status: "not-ready", reasons });
    },
  );

  app.get(
    "/metrics",
    {
      schema: {
        operationId: "metrics",
        tags: ["operations"],
        summary: "Metrics for Prometheus",
        response: { 200: { description: "Prometheus text format.", content: { "text/plain": { schema: z.string() } } } },
      },
    },
    async (_request, reply) => {
      // Without the database the counters of the process are still worth having.
      const queue = await context.store.queueDepth().catch(() => null);
      const gauges = [
        { name: "flowrun_up", help: "1 when the database answers.", value: queue === null ? 0 : 1 },
        { name: "flowrun_event_streams", help: "Open event streams of this process.", value: context.streams.size },
        { name: "flowrun_waiting_requests", help: "Requests of this process that wait for a run.", value: context.waiter.size },
      ];
      if (queue !== null) {
        gauges.push(
          { name: "flowrun_queue_depth", help: "Runs that wait to be executed.", value: queue.queued },
          { name: "flowrun_queue_oldest_seconds", help: "How long the oldest of them has waited.", value: queue.oldestSeconds },
        );
      }
      return reply.type("text/plain; version=0.0.4; charset=utf-8").send(context.metrics.text(gauges, context.webhooks?.outcomes));
    },
  );
}
