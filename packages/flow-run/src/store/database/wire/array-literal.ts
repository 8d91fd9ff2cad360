import utils from "pg/lib/utils.js";

/**
 * A list as PostgreSQL writes arrays. The driver's own way makes several strings of each element and one of each beginning of the list; with dozens of lists
 * of hundreds of elements in a statement that is most of what sending it costs. What is not plain is left to the driver.
 */
export function arrayLiteral(values: readonly unknown[]): string | Buffer | null {
  const parts = new Array<string>(values.length);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (typeof value === "string") parts[index] = quoted(value);
    else if (value === null || value === undefined) parts[index] = "NULL";
    else if (typeof value === "number") parts[index] = String(value);
    else return utils.prepareValue(values);
  }
  return `{${parts.join(",")}}`;
}

function quoted(text: string): string {
  return `"${/["\\]/.test(text) ? text.replace(/["\\]/g, "\\$&") : text}"`;
}
