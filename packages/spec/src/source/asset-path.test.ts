import { describe, expect, it } from "vitest";
import { assetPath } from "./asset-path.ts";

describe("assetPath", () => {
  it("counts from the folder of the definition that names the file", () => {
    expect(assetPath("evals/a.yaml", "../datasets/a.jsonl")).toBe("datasets/a.jsonl");
    expect(assetPath("evals/a.yaml", "./cases//b.jsonl")).toBe("evals/cases/b.jsonl");
    expect(assetPath("flow-run.yaml", "simulator.yaml")).toBe("simulator.yaml");
  });
  it.each(["/etc/passwd", "../../etc/passwd", "C:\\secrets", "..\\x", "..", "a\0b"])("refuses %j", (path) => {
    expect(assetPath("evals/a.yaml", path)).toBeUndefined();
  });
});
