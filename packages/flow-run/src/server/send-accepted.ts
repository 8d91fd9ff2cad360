import type { FastifyReply } from "fastify";
import type { Principal } from "./principal.ts";
import type { ServerContext } from "./server-context.ts";
import { type Submission, submitRun } from "./submit-run.ts";

/** Submits a run within its caller's limits and answers 202. */
export async function sendAccepted(
  context: ServerContext,
  principal: Principal,
  reply: FastifyReply,
  submission: Submission,
): Promise<FastifyReply> {
  const { submits } = context;
  const left = submits.enter(principal.id);
  try {
    const { run, replayed } = await submitRun(context, principal, submission);
    reply.header("location", `/v1/runs/${run.id}`);
    reply.header("retry-after", "1");
    reply.header("ratelimit-policy", submits.policy);
    reply.header("ratelimit", `"runs";r=${left};t=1`);
    if (replayed) reply.header("idempotency-replayed", "true");
    return await reply.code(202).type("application/json; charset=utf-8").send(JSON.stringify(run));
  } finally {
    submits.leave(principal.id);
  }
}
