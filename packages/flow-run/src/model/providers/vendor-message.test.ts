import { describe, expect, it } from "vitest";
import type { ModelRequest } from "../model.ts";
import { vendorMessage } from "./vendor-message.ts";

const request = (...texts: string[]): ModelRequest => ({
  messages: [{ role: "user", content: texts.map((text) => ({ text })) }],
  config: {},
});

describe("what a vendor wrote", () => {
  it("is passed on when it says what to mend", () => {
    const said = "Unsupported value: 'temperature' does not support 9 with this model.";
    expect(vendorMessage(said, request("Summarise this ticket"), [])).toBe(said);
  });

  it("loses our keys and whatever looks like one", () => {
    const said = "Incorrect key s3cret-value, or sk-proj-abc123def456, or Bearer abcdefghijk";
    expect(vendorMessage(said, request("x"), ["s3cret-value"])).toBe("Incorrect key …, or …, or …");
  });

  it("loses what it quotes from the prompt, long or short", () => {
    const prompt = "My card number is 4111 1111 1111 1111, please refund me.";
    expect(vendorMessage(`Invalid input 'card number is 4111 1111 1111 1111' found`, request(prompt), [])).toBe("Invalid input '…' found");
    expect(vendorMessage("Cannot handle CANARY-42 here", request("CANARY-42"), [])).toBe("Cannot handle … here");
  });

  it("cannot forge lines in a log, and ends", () => {
    expect(vendorMessage("a\r\n2026 INFO all is well\u001b[2J", request("x"), [])).toBe("a 2026 INFO all is well [2J");
    expect(vendorMessage("long ".repeat(1_000), request("x"), []).length).toBeLessThanOrEqual(301);
  });
});
