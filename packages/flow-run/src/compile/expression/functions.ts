import {
  anyType,
  boolType,
  durationType,
  integerType,
  listOf,
  mapOf,
  nullType,
  numberType,
  stringType,
  type Type,
  timestampType,
} from "./type.ts";

/** How a function is called and what it takes; the receiver of a method is its first parameter. */
export interface Signature {
  readonly style: "function" | "method" | "both";
  /** For each parameter the types it accepts, one of them at least. */
  readonly parameters: readonly (readonly Type[])[];
  /** How many of the parameters must be given. Default: all. */
  readonly required?: number;
  readonly result: Type | "element" | "same" | "flat";
}

const text = [stringType];
const whole = [integerType];
const numbers = [listOf(numberType)];
const anyList = [listOf(anyType)];

/** All functions but those with rules of their own: has, coalesce, cel.bind, orValue, hasValue and the comprehensions. */
export const FUNCTIONS: ReadonlyMap<string, Signature> = new Map<string, Signature>([
  ["size", { style: "both", parameters: [[stringType, listOf(anyType), mapOf(anyType)]], result: integerType }],
  ["string", { style: "function", parameters: [[stringType, numberType, boolType, timestampType, durationType]], result: stringType }],
  ["int", { style: "function", parameters: [[numberType, stringType, timestampType]], result: integerType }],
  ["double", { style: "function", parameters: [[numberType, stringType]], result: numberType }],
  ["bool", { style: "function", parameters: [[boolType, stringType]], result: boolType }],
  ["timestamp", { style: "function", parameters: [[stringType, timestampType]], result: timestampType }],
  ["duration", { style: "function", parameters: [[stringType, durationType]], result: durationType }],
  ["toJson", { style: "function", parameters: [[anyType, nullType]], result: stringType }],
  ["fromJson", { style: "function", parameters: [text], result: anyType }],
  ["sum", { style: "function", parameters: [numbers], result: "element" }],
  ["min", { style: "function", parameters: [numbers], result: "element" }],
  ["max", { style: "function", parameters: [numbers], result: "element" }],
  ["round", { style: "function", parameters: [[numberType]], result: integerType }],
  ["contains", { style: "method", parameters: [text, text], result: boolType }],
  ["startsWith", { style: "method", parameters: [text, text], result: boolType }],
  ["endsWith", { style: "method", parameters: [text, text], result: boolType }],
  ["matches", { style: "method", parameters: [text, text], result: boolType }],
  ["indexOf", { style: "method", parameters: [text, text, whole], required: 2, result: integerType }],
  ["lastIndexOf", { style: "method", parameters: [text, text], result: integerType }],
  ["substring", { style: "method", parameters: [text, whole, whole], required: 2, result: stringType }],
  ["split", { style: "method", parameters: [text, text], result: listOf(stringType) }],
  ["trim", { style: "method", parameters: [text], result: stringType }],
  ["replace", { style: "method", parameters: [text, text, text], result: stringType }],
  ["lowerAscii", { style: "method", parameters: [text], result: stringType }],
  ["upperAscii", { style: "method", parameters: [text], result: stringType }],
  ["join", { style: "method", parameters: [[listOf(stringType)], text], required: 1, result: stringType }],
  ["flatten", { style: "method", parameters: [anyList], result: "flat" }],
  ["distinct", { style: "method", parameters: [anyList], result: "same" }],
  ["reverse", { style: "method", parameters: [anyList], result: "same" }],
  ["slice", { style: "method", parameters: [anyList, whole, whole], result: "same" }],
]);

/** Functions with rules of their own. */
export const SPECIAL: ReadonlyMap<string, "function" | "method"> = new Map([
  ["has", "function"],
  ["coalesce", "function"],
  ["orValue", "method"],
  ["hasValue", "method"],
  ["map", "method"],
  ["filter", "method"],
  ["all", "method"],
  ["exists", "method"],
  ["exists_one", "method"],
]);

/** What people write, and what it is called here. */
export const RENAMED: ReadonlyMap<string, string> = new Map([
  ["length", "size"],
  ["len", "size"],
  ["count", "size"],
  ["toString", "string"],
  ["str", "string"],
  ["number", "double"],
  ["float", "double"],
  ["parseFloat", "double"],
  ["parseInt", "int"],
  ["integer", "int"],
  ["toInt", "int"],
  ["toUpperCase", "upperAscii"],
  ["upper", "upperAscii"],
  ["toLowerCase", "lowerAscii"],
  ["lower", "lowerAscii"],
  ["includes", "contains"],
  ["strip", "trim"],
  ["replaceAll", "replace"],
  ["substr", "substring"],
  ["existsOne", "exists_one"],
  ["some", "exists"],
  ["any", "exists"],
  ["every", "all"],
  ["unique", "distinct"],
  ["flat", "flatten"],
  ["reversed", "reverse"],
  ["json", "toJson"],
  ["stringify", "toJson"],
  ["toJSON", "toJson"],
  ["parse", "fromJson"],
  ["parseJson", "fromJson"],
  ["default", "coalesce"],
  ["isSet", "has"],
  ["greatest", "max"],
  ["least", "min"],
  ["test", "matches"],
  ["regex", "matches"],
]);

/** What is left out on purpose, and what to do instead. */
export const ABSENT: ReadonlyMap<string, string> = new Map([
  ["now", "write run.startedAt: a resumed run must get the same value again"],
  ["random", "expressions must give the same value again when a run is resumed; use run.id"],
  ["uuid", "write run.id: a resumed run must get the same value again"],
  ["format", "write text around ${{ }}, for example Hello ${{ input.name }}"],
  ["sort", "lists keep their order; sort in the step that makes the list"],
  ["sortBy", "lists keep their order; sort in the step that makes the list"],
  ["reduce", "use sum, min, max, join, exists or all"],
  ["find", "write xs.filter(x, …)[?0]"],
  ["optMap", "write .?field, or cel.bind with coalesce"],
  ["optFlatMap", "write .?field, or cel.bind with coalesce"],
  ["or", "write coalesce(a, b)"],
  ["value", "write .orValue(…)"],
  ["concat", "write a + b"],
  ["type", "compare with null or use has(); types are known when the workflow is compiled"],
  ["dyn", "leave it out"],
  ["uint", "write int(…)"],
  ["bytes", "bytes are not a JSON value"],
]);

export function isFunction(name: string, given: number): boolean {
  return isCallable(name, "function", given);
}

/** `given` counts the arguments in the brackets. */
export function isMethod(name: string, given: number): boolean {
  return isCallable(name, "method", given + 1);
}

function isCallable(name: string, style: "function" | "method", given: number): boolean {
  const signature = FUNCTIONS.get(name);
  if (!signature || (signature.style !== style && signature.style !== "both")) return false;
  return given <= signature.parameters.length && given >= (signature.required ?? signature.parameters.length);
}
