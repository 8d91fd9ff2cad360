import type { CompiledExpression, CompiledFlow, CompiledStep, CompiledValue } from "./bundle.ts";

/** A flow as it would be whatever lines and columns its author's files have. */
export function withoutPlaces(flow: CompiledFlow): object {
  if (flow.kind === "task") return flow;
  return { ...flow, steps: flow.steps.map(step), ...(flow.output === undefined ? {} : { output: value(flow.output) }) };
}

function step(compiled: CompiledStep): object {
  const { at: _, ...rest } = compiled;
  const condition = compiled.if === undefined ? {} : { if: value(compiled.if) };
  if (compiled.kind === "parallel") return { ...rest, ...condition, steps: compiled.steps.map(step) };
  const { forEach, repeat, onError } = compiled;
  const common = {
    ...rest,
    ...condition,
    ...(forEach === undefined ? {} : { forEach: { ...forEach, items: value(forEach.items) } }),
    ...(repeat === undefined ? {} : { repeat: { ...repeat, until: value(repeat.until) } }),
    onError: typeof onError === "object" ? { ...onError, with: value(onError.with) } : onError,
  };
  switch (compiled.kind) {
    case "run":
      return { ...common, with: value(compiled.with) };
    case "set":
      return { ...common, set: value(compiled.set) };
    case "http":
      return {
        ...common,
        url: value(compiled.url),
        ...(compiled.headers === undefined ? {} : { headers: value(compiled.headers) }),
        ...(compiled.body === undefined ? {} : { body: value(compiled.body) }),
      };
    case "wait":
      return common;
  }
}

function value(compiled: CompiledValue): object {
  if ("expression" in compiled) return { expression: expression(compiled.expression) };
  if ("parts" in compiled) return { parts: compiled.parts.map((part) => (typeof part === "string" ? part : expression(part))) };
  if ("list" in compiled) return { list: compiled.list.map(value) };
  if ("map" in compiled) return { map: compiled.map.map(([key, item]) => [key, value(item)]) };
  return compiled;
}

function expression({ source }: CompiledExpression): object {
  return { source };
}
