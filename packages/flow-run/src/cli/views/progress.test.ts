import { expect, test } from "vitest";
import type { Terminal } from "../terminal.ts";
import { stepProgress } from "./progress.ts";

/** A pipe that keeps what is said. */
function pipe(): Terminal & { said: () => string } {
  let said = "";
  return {
    out: () => {},
    err: (text) => {
      said += text;
    },
    outText: () => {},
    json: () => {},
    style: (_style, text) => text,
    outIsTerminal: false,
    errIsTerminal: false,
    columns: 80,
    said: () => said,
  };
}

test("texts of steps at the same time are shown one after the other, and what broke off is said", () => {
  const terminal = pipe();
  const progress = stepProgress(terminal, { showText: true });
  for (const path of ["a", "b", "c"]) progress.stepStarted(path);
  progress.text("Once ", "a");
  progress.text("Two", "b");
  progress.text("void", "c");
  progress.text("upon a time", "a");
  progress.textRestarted("c");
  progress.textRestarted("a");
  progress.text("Well.", "a");
  progress.stepFinished("a", "succeeded", 1_200);
  progress.text(" too", "b");
  progress.text("Three\n", "c");
  progress.stepFinished("c", "succeeded", 1_300);
  progress.text("!", "b");
  progress.stepFinished("b", "failed", 1_400);
  expect(progress.end()).toBe(false);
  expect(terminal.said()).toBe(`a:
Once upon a time
The answer broke off; it is asked again.
a:
Well.
✓ a 1.2 s
b:
Two too
c:
Three
✓ c 1.3 s
b:
!
✗ b 1.4 s
`);
});

test("texts are not shown where nobody asked for them", () => {
  const terminal = pipe();
  const progress = stepProgress(terminal);
  progress.text("Once", "a");
  progress.textRestarted("a");
  progress.stepFinished("a", "skipped", 0);
  expect(terminal.said()).toBe("– a skipped\n");
});
