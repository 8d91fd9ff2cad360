import { COST_GROUPS, type CostGroup, type CostQuery, type ProblemError, suggest } from "@flow-run/spec";
import type { CostQuestion } from "../store/index.ts";
import { RequestRefusal } from "./request-refusal.ts";

/** What `GET /v1/costs` asks for. Throws RequestRefusal that names everything that is wrong with it. */
export function readCostQuestion(environment: string, { groupBy = "", from, to }: CostQuery): CostQuestion {
  const errors: ProblemError[] = [];
  const groups = groupBy.split(",").flatMap((word) => (word.trim() === "" ? [] : [word.trim()]));
  for (const group of groups) {
    if (isGroup(group)) continue;
    const near = suggest(group, COST_GROUPS);
    const hint = near === undefined ? `there are ${COST_GROUPS.join(", ")}` : `did you mean "${near}"?`;
    errors.push({ detail: `costs are not told apart by ${JSON.stringify(group.slice(0, 40))}; ${hint}`, parameter: "groupBy" });
  }
  for (const [parameter, day] of [
    ["from", from],
    ["to", to],
  ] as const) {
    if (day !== undefined && !isDay(day)) errors.push({ detail: "is no day; write YYYY-MM-DD, for example 2026-11-22", parameter });
  }
  if (errors.length === 0 && from !== undefined && to !== undefined && from > to) {
    errors.push({ detail: `is after \`to\` (${to})`, parameter: "from" });
  }
  const [first] = errors;
  if (first !== undefined) {
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
    throw new RequestRefusal("malformed-request", `The query does not fit: ${first.parameter}: ${first.detail}${more}.`, { errors });
  }
  return { environment, groupBy: [...new Set(groups.filter(isGroup))], from: from ?? null, to: to ?? null };
}

function isGroup(word: string): word is CostGroup {
  return (COST_GROUPS as readonly string[]).includes(word);
}

/** A day that exists. */
function isDay(text: string): boolean {
  if (!/^[1-9]\d{3}-\d\d-\d\d$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}
