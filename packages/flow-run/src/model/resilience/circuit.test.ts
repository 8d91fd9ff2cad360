import { expect, it } from "vitest";
import { ModelCallError } from "../model-call-error.ts";
import { Circuit, type Verdict, verdictOn } from "./circuit.ts";

function circuitAfter(...verdicts: Verdict[]): Circuit {
  const circuit = new Circuit();
  for (const verdict of verdicts) circuit.begin(0)(verdict, 0);
  return circuit;
}
const times = (count: number, verdict: Verdict): Verdict[] => Array.from({ length: count }, () => verdict);

it("opens when more than eight of ten of at least ten attempts met an outage", () => {
  expect(circuitAfter(...times(9, "down")).isOpen(0)).toBe(false);
  expect(circuitAfter(...times(10, "down")).isOpen(0)).toBe(true);
  expect(circuitAfter(...times(2, "alive"), ...times(8, "down")).isOpen(0)).toBe(false);
  expect(circuitAfter(...times(2, "alive"), ...times(9, "down")).isOpen(0)).toBe(true);
});

it("looks at the last twenty attempts only, and not at those that say nothing", () => {
  expect(circuitAfter(...times(100, "alive"), ...times(16, "down")).isOpen(0)).toBe(false);
  expect(circuitAfter(...times(100, "alive"), ...times(17, "down")).isOpen(0)).toBe(true);
  expect(circuitAfter(...times(50, null)).isOpen(0)).toBe(false);
});

it("lets one probe through after ten seconds, and closes when it comes back well", () => {
  const circuit = circuitAfter(...times(10, "down"));
  expect(circuit.isOpen(9_999)).toBe(true);
  expect(circuit.isOpen(10_000)).toBe(false);
  const probe = circuit.begin(10_000);
  expect(circuit.isOpen(10_001)).toBe(true);
  probe("alive", 12_000);
  expect(circuit.isOpen(12_000)).toBe(false);
});

it("stays open for another ten seconds when the probe fails", () => {
  const circuit = circuitAfter(...times(10, "down"));
  circuit.begin(10_000)("down", 70_000);
  expect(circuit.isOpen(79_999)).toBe(true);
  expect(circuit.isOpen(80_000)).toBe(false);
});

it("gives the next one the probe when one was broken off", () => {
  const circuit = circuitAfter(...times(10, "down"));
  circuit.begin(10_000)(null, 11_000);
  expect(circuit.isOpen(11_000)).toBe(false);
});

it("closes when somebody without a fallback finds the target alive, and their failures put the probe off for nobody", () => {
  const circuit = circuitAfter(...times(10, "down"));
  circuit.begin(3_000)("down", 9_000);
  expect(circuit.isOpen(10_000)).toBe(false);
  circuit.begin(4_000)("alive", 9_000);
  expect(circuit.isOpen(9_000)).toBe(false);
});

it("takes refusals for a sign of life, and what we broke off for none", () => {
  expect(verdictOn(new ModelCallError("rate-limited", "429"))).toBe("alive");
  expect(verdictOn(new ModelCallError("provider-timeout", "late"))).toBe("down");
  expect(verdictOn(new ModelCallError("aborted", "enough"))).toBe(null);
  expect(verdictOn(new TypeError("a defect"))).toBe(null);
});
