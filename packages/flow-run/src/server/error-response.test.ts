import { FlowRunError, isProblemCode, PROBLEMS } from "@flow-run/spec";
import { pino } from "pino";
import { expect, test } from "vitest";
import { toErrorResponse } from "./error-response.ts";
import { RequestRefusal } from "./request-refusal.ts";

function answer(error: unknown, path = "/v1/runs") {
  const lines: string[] = [];
  const response = toErrorResponse(error, path, "req-1", pino({}, { write: (line: string) => void lines.push(line) }));
  return { ...response, log: lines.join("") };
}

test("every code of a problem becomes its status, title and type, and is nothing for the log", () => {
  for (const code of Object.keys(PROBLEMS).filter((one) => one !== "internal-error" && one !== "database-unavailable")) {
    if (!isProblemCode(code)) throw new Error(code);
    const { problem, log } = answer(new FlowRunError(code, "Do this."));
    expect(problem).toMatchObject({ type: `https://flow-run.dev/problems/${code}`, ...PROBLEMS[code], detail: "Do this." });
    expect(log).toBe("");
  }
});

test("codes of other rooms are told as the problem they are, or not at all", () => {
  expect(answer(new FlowRunError("invalid-cursor", "x")).problem.status).toBe(400);
  expect(answer(new FlowRunError("not-storable", "x")).problem.status).toBe(422);
  const unknown = answer(new FlowRunError("database-newer", "password=hunter2"));
  expect(unknown.problem.status).toBe(500);
  expect(JSON.stringify(unknown.problem)).not.toContain("hunter2");
  expect(unknown.log).toContain("database-newer");
  for (const code of ["__proto__", "constructor", "internal-error"]) expect(answer(new FlowRunError(code, "x")).problem.status).toBe(500);
});

test("a bug of any kind is a bare 500 with the request id, and is logged", () => {
  for (const bug of [new TypeError("secret"), "secret", null, undefined, { message: "secret" }]) {
    const { problem, log } = answer(bug);
    expect(problem).toMatchObject({ status: 500, type: expect.stringContaining("internal-error") });
    expect(problem.detail).toContain("req-1");
    expect(problem.detail).not.toContain("secret");
    expect(log).toContain("request failed");
  }
});

test("waiting times are whole seconds, at least one", () => {
  expect(answer(new RequestRefusal("rate-limited", "x", { retryAfterMs: 1_200 })).headers["retry-after"]).toBe("2");
  expect(answer(new FlowRunError("database-unavailable", "x", { retryAfterMs: 1 })).headers["retry-after"]).toBe("1");
  expect(answer(new RequestRefusal("flow-not-found", "x")).headers["retry-after"]).toBeUndefined();
});

test("the instance is the path, but never where it would tell something", () => {
  expect(answer(new RequestRefusal("flow-not-found", "x"), "/v1/flows/x").problem.instance).toBe("/v1/flows/x");
  for (const code of ["unauthorized", "run-not-found"] as const)
    expect(answer(new RequestRefusal(code, "x")).problem.instance).toBeUndefined();
  expect(answer(new RequestRefusal("route-not-found", "x"), "/v1/frk_secret").problem.instance).toBeUndefined();
  expect(answer(new RequestRefusal("route-not-found", "x"), `/${"a".repeat(1_000)}`).problem.instance).toBeUndefined();
});
