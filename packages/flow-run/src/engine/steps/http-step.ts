import { createHash } from "node:crypto";
import type { Json } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import type { CompiledHttpStep } from "../../compile/index.ts";
import type { StepAction } from "../step-action.ts";
import { httpError } from "./http/http-error.ts";
import { readAnswerBody } from "./http/read-answer.ts";
import { createRedactor } from "./http/redactor.ts";
import { requestParts } from "./http/request-parts.ts";
import { idempotencyKeyOf, toRequest } from "./http/to-request.ts";

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Makes a request; gives `{status, headers, body}`. Secrets are filled in only for sending: the record, the output and every message have `***` in their
 * place. A request that was under way when the process died is made again, with the same Idempotency-Key.
 */
export function httpStep(step: CompiledHttpStep): StepAction {
  const parts = requestParts(step);
  return {
    kind: () => "http",
    timeoutMs: DEFAULT_TIMEOUT_MS,
    recordsAtOnce: true,
    input: (scope) => ({ method: step.method, ...parts.shown(scope) }),
    async perform(context, { scope, input, place }, signal) {
      const { world, release, journal, run } = context;
      const what = describe(input);
      const secrets = parts.secrets(release.secret);
      const redactor = createRedactor([...secrets.values.values()]);
      try {
        const values = parts.real(scope, secrets, place.path);
        const request = toRequest(step.method, values, idempotencyKeyOf(run.id, place.path, sha256));
        await journal.commit();
        const answer = await world.http.request({ ...request, signal });
        if (answer.status < 200 || answer.status > 299) throw httpError(what, answer, redactor.text, world.clock.now());
        const body = readAnswerBody(answer, world.validators, step.output);
        return { status: answer.status, headers: redactor.json(answer.headers), body: redactor.json(body) };
      } catch (error) {
        throw signal.aborted ? error : withoutSecrets(error, redactor.text);
      }
    },
  };
}

/** Method and URL as they may be shown; a query says little and is long. */
function describe(input: Json): string {
  const { method, url } = input as { method: string; url: Json };
  return `${method} ${String(url).replace(/[?#].*$/s, "")}`;
}

function withoutSecrets(error: unknown, redact: (text: string) => string): unknown {
  // Errors that stop the execution must stay what they are.
  if (!FlowRunError.isInstance(error) || redact(error.message) === error.message) return error;
  const { code, message, retryable, retryAfterMs } = error;
  return new FlowRunError(code, redact(message), { retryable, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
