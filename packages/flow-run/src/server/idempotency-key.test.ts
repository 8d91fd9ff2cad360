import { expect, test } from "vitest";
import { readIdempotencyKey } from "./idempotency-key.ts";

test.each([
  [undefined, null],
  ["abc", "abc"],
  ["  abc ", "abc"],
  ['"abc"', "abc"],
  ['"a b"', "a b"],
  ['"a\\"b\\\\c"', 'a"b\\c'],
  ["8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"],
])("the header %j is the key %j", (header, key) => {
  expect(readIdempotencyKey(header)).toBe(key);
});

test.each(["", '""', '"', '"a', '"a"b"', '"a\\n"', "a\tb", "a\r\nb", "\u0000", "schlüssel", "k".repeat(256), ["a", "b"]])(
  "the header %j is refused",
  (header) => {
    expect(() => readIdempotencyKey(header)).toThrow(/Idempotency-Key cannot be used/);
  },
);
