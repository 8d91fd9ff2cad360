import { expect, it } from "vitest";
import { SecretBox } from "./secret-box.ts";

it("opens what it sealed, under the same key, name and purpose only", () => {
  const box = new SecretBox(["a key"], "p");
  const sealed = box.seal("whsec_x", "dev");
  expect(box.open(sealed, "dev")).toBe("whsec_x");
  expect(sealed).not.toContain("whsec");
  expect(box.seal("whsec_x", "dev")).not.toBe(sealed);
  expect(box.open(sealed, "prod")).toBeNull();
  expect(new SecretBox(["another"], "p").open(sealed, "dev")).toBeNull();
  expect(new SecretBox(["a key"], "q").open(sealed, "dev")).toBeNull();
  const end = sealed.endsWith("A") ? "B" : "A";
  for (const changed of [`${sealed.slice(0, -1)}${end}`, sealed.slice(0, 20), "v1.", "", "v2.abc"])
    expect(box.open(changed, "dev")).toBeNull();
});

it("goes on to open what an older key has sealed, and seals with the newer", () => {
  const sealed = new SecretBox(["old"], "p").seal("text", "dev");
  const both = new SecretBox(["new", "old"], "p");
  expect(both.open(sealed, "dev")).toBe("text");
  expect(new SecretBox(["new"], "p").open(both.seal("text", "dev"), "dev")).toBe("text");
  expect(new SecretBox([], "p").hasKey).toBe(false);
});
