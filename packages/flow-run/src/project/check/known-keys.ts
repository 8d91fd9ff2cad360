import type { z } from "zod";

interface SchemaInternals {
  type: string;
  shape?: { [key: string]: z.core.$ZodType };
  innerType?: z.core.$ZodType;
  element?: z.core.$ZodType;
  valueType?: z.core.$ZodType;
  options?: readonly z.core.$ZodType[];
  in?: z.core.$ZodType;
  getter?: () => z.core.$ZodType;
}

/** Keys that a schema declares for the map at a path; of a union those of all its branches. Empty where it declares none. */
export function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const definition = schema._zod.def as unknown as SchemaInternals;
  if (definition.options !== undefined) return [...new Set(definition.options.flatMap((option) => knownKeys(option, path)))];
  const wrapped = definition.innerType ?? definition.in ?? definition.getter?.();
  if (wrapped !== undefined) return knownKeys(wrapped, path);
  const [segment, ...rest] = path;
  if (segment === undefined) return Object.keys(definition.shape ?? {});
  const next =
    definition.element ??
    definition.valueType ??
    (Object.hasOwn(definition.shape ?? {}, segment) ? definition.shape![String(segment)] : undefined);
  return next === undefined ? [] : knownKeys(next, rest);
}
