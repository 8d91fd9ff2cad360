/** As deep as vendors nest what they say. */
const MAX_DEPTH = 4;

/**
 * What a vendor says in a refusal that is not in the shape its library knows: `message`, `Message`, `detail`, `error` or `msg`, nested or in
 * lists, as Mistral's checks of a request are (`[{ "loc": ["body", "n"], "msg": "Extra inputs are not permitted" }]`). "" when it says nothing.
 */
export function saidInBody(body: string): string {
  try {
    return saidIn(JSON.parse(body), 0);
  } catch {
    return "";
  }
}

function saidIn(value: unknown, depth: number): string {
  if (typeof value === "string") return depth === 0 ? "" : value;
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return "";
  if (Array.isArray(value)) {
    const said = value.map((entry) => saidIn(entry, depth + 1)).filter((text) => text !== "");
    return said.slice(0, 3).join("; ");
  }
  const fields = value as { [name: string]: unknown };
  for (const name of ["message", "Message", "detail", "error", "msg"]) {
    const said = saidIn(fields[name], depth + 1);
    if (said !== "") return Array.isArray(fields.loc) ? `${fields.loc.join(".")}: ${said}` : said;
  }
  return "";
}
