import type { Json } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import type { CompiledHttpStep, CompiledValue, PreparedValue } from "../../../compile/index.ts";
import { ExpressionError, prepareValue, secretNames } from "../../../compile/index.ts";
import type { Scope } from "../../loaded-release.ts";
import { HIDDEN } from "./redactor.ts";

/** The values of a request as its expressions give them. */
export interface RequestValues {
  url: Json;
  headers?: Json;
  body?: Json;
}

/** The expressions of an http step's request, evaluated once for the journal and once, with the secrets, for sending. */
export interface RequestParts {
  /** With `***` for every secret. Throws ExpressionError. */
  shown(scope: Scope): RequestValues;
  /** The secrets that the expressions may read. */
  secrets(secret: (name: string) => string | undefined): FoundSecrets;
  /** With the secrets. Throws ExpressionError, or FlowRunError `missing-secret`, which names the step. */
  real(scope: Scope, secrets: FoundSecrets, step: string): RequestValues;
}

export interface FoundSecrets {
  values: ReadonlyMap<string, string>;
  missing: readonly string[];
}

interface Part {
  evaluate: PreparedValue;
  secrets: string[];
}

export function requestParts(step: CompiledHttpStep): RequestParts {
  const url = partOf(step.url);
  const headers = step.headers && partOf(step.headers);
  const body = step.body && partOf(step.body);
  const names = [...new Set([url, headers, body].flatMap((part) => part?.secrets ?? []))];
  const evaluate = (one: (part: Part) => Json | undefined): RequestValues => ({
    url: one(url) ?? null,
    ...withValue("headers", headers && one(headers)),
    ...withValue("body", body && one(body)),
  });
  return {
    shown: (scope) => evaluate((part) => evaluateShown(part, scope)),
    secrets(secret) {
      const values = new Map<string, string>();
      // Secrets that were piped in often end in a line break, which no header takes.
      for (const name of names) values.set(name, secret(name)?.replace(/[\r\n]+$/, "") ?? "");
      const missing = names.filter((name) => values.get(name) === "");
      for (const name of missing) values.delete(name);
      return { values, missing };
    },
    real(scope, { values, missing }, stepPath) {
      const whole = withSecrets(scope, values);
      try {
        return evaluate((part) => part.evaluate(whole));
      } catch (error) {
        if (missing.length === 0 || !(error instanceof ExpressionError) || error.code !== "no-such-field") throw error;
        const what = missing.length === 1 ? `the secret ${missing[0]}` : `the secrets ${missing.join(", ")}`;
        throw new FlowRunError("missing-secret", `${stepPath} needs ${what}. Set it as an environment variable where runs are executed.`);
      }
    },
  };
}

function partOf(value: CompiledValue): Part {
  return { evaluate: prepareValue(value), secrets: secretNames(value) };
}

function withValue(name: "headers" | "body", value: Json | undefined): { [name: string]: Json } {
  return value === undefined ? {} : { [name]: value };
}

function evaluateShown({ evaluate, secrets }: Part, scope: Scope): Json | undefined {
  if (secrets.length === 0) return evaluate(scope);
  try {
    return evaluate(withSecrets(scope, new Map(secrets.map((name) => [name, HIDDEN]))));
  } catch (error) {
    // What can be done with the secret may be impossible with what stands in its place; a true mistake shows when the request is made.
    if (error instanceof ExpressionError) return HIDDEN;
    throw error;
  }
}

function withSecrets(scope: Scope, values: ReadonlyMap<string, string>): Scope {
  return { ...scope, secrets: Object.assign(Object.create(null), Object.fromEntries(values)) };
}
