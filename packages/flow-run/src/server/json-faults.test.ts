import fc from "fast-check";
import { expect, test } from "vitest";
import { findJsonFault } from "./json-faults.ts";

test("ordinary JSON has no fault, whatever it is", () => {
  const json = fc.jsonValue({ maxDepth: 20 }).filter((value) => {
    const text = JSON.stringify(value);
    return !text.includes("__proto__") && !text.includes("\\u0000") && !/\\ud[89a-f]/.test(text);
  });
  fc.assert(
    fc.property(json, (value) => {
      const text = JSON.stringify(value);
      expect(findJsonFault(JSON.parse(text), text, 100)).toBeNull();
    }),
  );
});

test.each([
  ['{"a":[{"b":1e999}]}', "/a/0/b"],
  ['{"a":[{"b":-1e999}]}', "/a/0/b"],
  ['{"a/b":{"c~d":"\\u0000"}}', "/a~1b/c~0d"],
  ["[9007199254740992, 9007199254740993]", "/1"],
  ["[-9007199254740993]", "/0"],
  ["[123456789012345678901234567890]", "/0"],
  ['"\\udc00"', ""],
])("the fault of %s is at %j", (text, pointer) => {
  expect(findJsonFault(JSON.parse(text), text, 100)).toMatchObject({ code: "invalid-input", pointer });
});

test("levels are counted over objects and arrays alike", () => {
  const text = '{"a":[{"b":[]}]}';
  expect(findJsonFault(JSON.parse(text), text, 4)).toBeNull();
  expect(findJsonFault(JSON.parse(text), text, 3)).toMatchObject({ code: "malformed-request" });
});

test("a pointer into great depth stays short", () => {
  const text = `${'{"deep":'.repeat(90)}"\\u0000"${"}".repeat(90)}`;
  expect(findJsonFault(JSON.parse(text), text, 100)?.pointer.split("/").length).toBeLessThan(20);
});
