import fc from "fast-check";
import { expect, it } from "vitest";
import { WellFormedStream, wellFormedText } from "./well-formed-text.ts";

it("keeps good text as it is and replaces NUL and lone surrogates", () => {
  expect(wellFormedText("grüß 😀\n")).toBe("grüß 😀\n");
  expect(wellFormedText("a\u0000b\ud83dc\ude00")).toBe("a\uFFFDb\uFFFDc\uFFFD");
});

it("gives the same text in pieces as at once, wherever it is cut", () => {
  const unit = fc.constantFrom("a", "\u0000", "\ud83d", "\ude00", "😀", "é");
  fc.assert(
    fc.property(fc.array(unit), fc.array(fc.nat(20)), (units, cuts) => {
      const text = units.join("");
      const stream = new WellFormedStream();
      let result = "";
      let at = 0;
      for (const cut of cuts) {
        result += stream.push(text.slice(at, at + cut));
        at += cut;
      }
      result += stream.push(text.slice(at)) + stream.end();
      expect(result).toBe(wellFormedText(text));
    }),
  );
});
