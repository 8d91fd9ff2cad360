import fc from "fast-check";
import { expect, it } from "vitest";
import { fairShares } from "./fair-shares.ts";

const claim = (want: number, since = 0, turn = 0) => ({ want, since, turn });

it("gives everybody what they want while there is enough", () => {
  expect(fairShares(10, [claim(2), claim(0), claim(5)])).toEqual([2, 0, 5]);
});

it("gives those who want little all of it, and divides the rest evenly", () => {
  expect(fairShares(10, [claim(1), claim(100), claim(100)])).toEqual([1, 5, 4]);
});

it("gives what cannot be divided to those who wait longest", () => {
  expect(fairShares(1, [claim(5, 300), claim(5, 100), claim(5, 200)])).toEqual([0, 1, 0]);
  expect(fairShares(1, [claim(5, 100, 1), claim(5, 100, 0), claim(5, 200, 2)])).toEqual([0, 1, 0]);
});

it("always gives out as much as it can, to nobody more than they want, and to nobody two more than to somebody who wants more", () => {
  const claims = fc.array(fc.record({ want: fc.nat(50), since: fc.nat(1_000), turn: fc.nat(10) }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.nat(100), claims, (places, claims) => {
      const shares = fairShares(places, claims);
      const wanted = claims.reduce((sum, { want }) => sum + want, 0);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(Math.min(places, wanted));
      for (const [index, share] of shares.entries()) {
        expect(share).toBeLessThanOrEqual(claims[index]!.want);
        if (share < claims[index]!.want) expect(Math.max(...shares)).toBeLessThanOrEqual(share + 1);
      }
    }),
  );
});
