import type { Run } from "@flow-run/spec";
import { expect, it } from "vitest";
import { writeMessage } from "./write-message.ts";

const run: Run = {
  id: "run_1",
  flow: "triage",
  kind: "task",
  environment: "prod",
  release: 3,
  status: "failed",
  input: { secret: "the input is not sent" },
  output: { text: "o".repeat(50_000) },
  error: { code: "x", message: "y", step: "a", retryable: false },
  usage: { inputTokens: 1, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, calls: 1, cacheHits: 0 },
  costUsd: 0.01,
  unpricedCalls: 0,
  replayOf: null,
  feedbackCount: 0,
  tags: ["t"],
  createdAt: "2026-11-20T12:00:00.000Z",
  startedAt: "2026-11-20T12:00:01.000Z",
  finishedAt: "2026-11-20T12:00:02.000Z",
};

it("tells what the run was, what it cost and where it is, and neither input nor output", () => {
  const { id, flow, environment, release, status, error, usage, costUsd, tags, createdAt, finishedAt } = run;
  expect(JSON.parse(writeMessage(run, { includeOutput: false, publicUrl: "https://flows.example.com" }))).toEqual({
    type: "run.failed",
    timestamp: finishedAt,
    data: {
      ...{ id, flow, environment, release, status, error, usage, costUsd },
      url: "https://flows.example.com/v1/runs/run_1",
      ...{ tags, createdAt, finishedAt },
    },
  });
});

it("holds the whole output for those who ask for it", () => {
  const message = JSON.parse(writeMessage(run, { includeOutput: true, publicUrl: "" }));
  expect(message.data.output).toEqual(run.output);
  expect(message.data.url).toBe("/v1/runs/run_1");
});

it("stays below 20 kB whatever the run holds", () => {
  const tags = Array.from({ length: 32 }, () => "\u0001".repeat(128));
  const message = `${"x".repeat(1_998)}🎉${"\u0001".repeat(100_000)}`;
  const body = writeMessage({ ...run, tags, error: { ...run.error!, message } }, { includeOutput: false, publicUrl: "" });
  expect(Buffer.byteLength(body)).toBeLessThan(20_000);
  const { data } = JSON.parse(body);
  expect(data.error.message).toHaveLength(2_000);
  expect(data.error.message.isWellFormed()).toBe(true);
  expect(data.tags.length).toBeGreaterThan(0);
  const dark = { ...run, tags: [], error: { ...run.error!, message: "\u0001".repeat(5_000) } };
  expect(Buffer.byteLength(writeMessage(dark, { includeOutput: false, publicUrl: "" }))).toBeLessThan(20_000);
});
