import { describe, expect, it } from "vitest";
import { suggest } from "./suggest.ts";

describe("suggest", () => {
  it("finds the word that was meant", () => {
    expect(suggest("catgory", ["category", "urgent"])).toBe("category");
    expect(suggest("modle", ["name", "model"])).toBe("model");
    expect(suggest("Model", ["model"])).toBe("model");
  });
  it("keeps silent when nothing is near", () => {
    expect(suggest("zebra", ["category", "urgent"])).toBeUndefined();
    expect(suggest("a", ["b"])).toBeUndefined();
    expect(suggest("x".repeat(500), ["x"])).toBeUndefined();
  });
  it("does not stretch long words", () => {
    expect(suggest("organisationHint", ["organization"])).toBeUndefined();
    expect(suggest("organisation", ["organization"])).toBe("organization");
  });
  it("prefers the nearest candidate", () => {
    expect(suggest("strng", ["strings", "string"])).toBe("string");
  });
});
