import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { expect, it } from "vitest";
import { SECRET_PREFIX, signatureOf } from "./sign.ts";

const secret = () => SECRET_PREFIX + randomBytes(32).toString("base64");
const headers = (id: string, timestamp: number, signature: string) => ({
  "webhook-id": id,
  "webhook-timestamp": String(timestamp),
  "webhook-signature": signature,
});

it("signs as the reference implementation verifies, with the old secret and the new while they rotate", () => {
  const [a, b, c] = [secret(), secret(), secret()];
  const body = '{"type":"run.succeeded","data":{"text":"Grüße, 世界 🎉"}}';
  const now = Math.floor(Date.now() / 1000);
  const signed = headers("msg_1", now, signatureOf("msg_1", now, body, [a, b]));
  expect(new Webhook(a).verify(body, signed)).toEqual(JSON.parse(body));
  expect(new Webhook(b).verify(body, signed)).toEqual(JSON.parse(body));
  expect(() => new Webhook(c).verify(body, signed)).toThrow();
  expect(() => new Webhook(a).verify(`${body} `, signed)).toThrow();
  expect(() => new Webhook(a).verify(body, { ...signed, "webhook-id": "msg_2" })).toThrow();
  expect(() => new Webhook(a).verify(body, { ...signed, "webhook-timestamp": String(now + 1) })).toThrow();
});
