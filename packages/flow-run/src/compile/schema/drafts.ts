import type { Json } from "@flow-run/spec";

/** The vocabularies that validators know. Draft 06 is read as draft 07, which only adds to it. */
export type Draft = "2020-12" | "2019-09" | "07";

/** The draft that a schema's `$schema` names, 2020-12 when it names none; undefined when it is one that we do not know. */
export function draftOf($schema: Json | undefined): Draft | undefined {
  if ($schema === undefined) return "2020-12";
  if (typeof $schema !== "string") return undefined;
  const name = /json-schema\.org\/(?:draft\/)?(2020-12|2019-09|draft-07|draft-06|schema)\b/.exec($schema)?.[1];
  if (name === "2020-12" || name === "2019-09") return name;
  if (name === "schema") return "2020-12";
  return name === undefined ? undefined : "07";
}
