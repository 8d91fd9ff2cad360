import { isScalar } from "yaml";
import type { YamlEntry } from "./source-report.ts";
import type { WorkflowContext } from "./workflow-context.ts";

/** Roots of the scope, now or later. */
const ROOTS = ["input", "steps", "run", "vars", "secrets", "index", "env", "output", "expected", "error", "self", "loop", "iteration"];
/** Words of CEL that no variable may have as its name. */
const WORDS = [
  ..."true false null in as break const continue else for function if import let loop package namespace return var void while".split(" "),
  ..."any bool bytes cel double duration dyn int list map null_type optional string timestamp type uint has".split(" "),
  "__proto__",
  "prototype",
];

/** The name of the element in a step with `forEach`; reports one that means something else. */
export function checkElementName(entry: YamlEntry, context: WorkflowContext): string {
  const name = isScalar(entry.value) ? String(entry.value.value) : "";
  const at = entry.value ?? entry.key;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    context.report.report("reserved-name", `"${name}" is not a name.`, at, "use letters, digits and _, beginning with a letter");
    return "item";
  }
  if (ROOTS.includes(name) || WORDS.includes(name)) {
    context.report.report(
      "reserved-name",
      `"${name}" has a meaning of its own in expressions.`,
      at,
      "choose another name, for example element",
    );
    return "item";
  }
  return name;
}
