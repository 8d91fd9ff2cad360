import { describe, expect, it } from "vitest";
import { saidInBody } from "./said-in-body.ts";

describe("what a vendor says in a body", () => {
  it.each([
    ['{"detail":"Unauthorized"}', "Unauthorized"],
    ['{"Message":"The security token is expired"}', "The security token is expired"],
    ['{"message":"no Route matched with those values","request_id":"r"}', "no Route matched with those values"],
    ['{"error":{"message":"too long","type":"x"}}', "too long"],
    ['{"error":"model not found"}', "model not found"],
    [
      '{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","n"],"msg":"Extra inputs are not permitted","input":1}]}}',
      "body.n: Extra inputs are not permitted",
    ],
    ['{"detail":[{"loc":["body","a"],"msg":"x"},{"loc":["body","b",0],"msg":"y"}]}', "body.a: x; body.b.0: y"],
  ])("is found in %s", (body, said) => {
    expect(saidInBody(body)).toBe(said);
  });

  it.each([
    "",
    "null",
    "7",
    '"text"',
    "[]",
    "{}",
    "<html>",
    '{"message":null}',
    '{"input":"my diary"}',
    `${"[".repeat(99)}${"]".repeat(99)}`,
  ])("is nothing in %s", (body) => {
    expect(saidInBody(body)).toBe("");
  });
});
