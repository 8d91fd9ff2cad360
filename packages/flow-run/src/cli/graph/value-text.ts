import type { CompiledExpression, CompiledValue } from "../../compile/index.ts";

/** A value as its author could have written it, on one line: text as it is, everything else as compact JSON. */
export function valueText(value: CompiledValue): string {
  if ("literal" in value) return typeof value.literal === "string" ? value.literal : JSON.stringify(value.literal);
  if ("expression" in value) return template(value.expression);
  if ("parts" in value) return value.parts.map((part) => (typeof part === "string" ? part : template(part))).join("");
  if ("list" in value) return `[${value.list.map(valueText).join(", ")}]`;
  return `{ ${value.map.map(([name, item]) => `${name}: ${valueText(item)}`).join(", ")} }`;
}

/** A condition or a list: an expression needs no brackets there. */
export function conditionText(value: CompiledValue): string {
  return "expression" in value ? oneLine(value.expression.source) : valueText(value);
}

function template({ source }: CompiledExpression): string {
  return `\${{ ${oneLine(source)} }}`;
}

/** Blanks around line breaks mean nothing in expressions, outside of texts. */
function oneLine(source: string): string {
  return source.replace(/\s*\n\s*/g, " ");
}
