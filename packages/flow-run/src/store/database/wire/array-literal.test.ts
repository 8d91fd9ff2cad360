import fc from "fast-check";
import utils from "pg/lib/utils.js";
import { describe, expect, it } from "vitest";
import { arrayLiteral } from "./array-literal.ts";

describe("arrayLiteral", () => {
  it("writes texts, numbers and nulls as the driver's own reader takes them", () => {
    expect(arrayLiteral([])).toBe("{}");
    expect(arrayLiteral(['say "hi"', "back\\slash", "", "NULL", null, undefined, 1.5, -2])).toBe(
      '{"say \\"hi\\"","back\\\\slash","","NULL",NULL,NULL,1.5,-2}',
    );
  });

  it("gives for texts exactly what the driver gives", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.string({ unit: "binary" }))), (texts) => arrayLiteral(texts) === utils.prepareValue(texts)),
    );
  });

  it("leaves to the driver what is not plain", () => {
    for (const values of [[true, false], [["a"], ["b"]], [new Date(0)], [{ a: 1 }], [Buffer.from("x")], ["a", true]]) {
      expect(arrayLiteral(values)).toBe(utils.prepareValue(values));
    }
  });
});
