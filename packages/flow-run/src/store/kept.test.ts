import { describe, expect, it } from "vitest";
import { Kept } from "./kept.ts";

describe("what is kept of the database's answers", () => {
  it("is asked once, also by many at once, until it is forgotten", async () => {
    const kept = new Kept<number>(10);
    let asked = 0;
    const ask = async () => ++asked;
    expect(await Promise.all([kept.get("a", ask), kept.get("a", ask)])).toEqual([1, 1]);
    kept.forget("b");
    expect(await kept.get("a", ask)).toBe(1);
    kept.forget("a");
    expect(await kept.get("a", ask)).toBe(2);
    kept.forget();
    expect(await kept.get("a", ask)).toBe(3);
  });

  it("does not keep an answer that was forgotten before it came, nor a failure", async () => {
    const kept = new Kept<string>(10);
    let answer: (text: string) => void = () => {};
    const old = kept.get("a", () => new Promise<string>((resolve) => (answer = resolve)));
    kept.forget("a");
    answer("old");
    expect(await old).toBe("old");
    await expect(kept.get("a", () => Promise.reject(new Error("away")))).rejects.toThrow("away");
    expect(await kept.get("a", async () => "new")).toBe("new");
  });

  it("is bounded: the least recently used goes first, and old answers are asked again", async () => {
    const kept = new Kept<number>(2);
    const put = (key: string, value: number) => kept.get(key, async () => value);
    await put("a", 1);
    await put("b", 1);
    await put("a", 2);
    await put("c", 1);
    expect(await Promise.all([put("a", 9), put("b", 9)])).toEqual([1, 9]);
    const shortLived = new Kept<number>(2, 0);
    await shortLived.get("a", async () => 1);
    expect(await shortLived.get("a", async () => 2)).toBe(2);
  });
});
