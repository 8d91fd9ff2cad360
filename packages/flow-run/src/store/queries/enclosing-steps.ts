/** A step that is under way because something inside it is, or was. */
export interface EnclosingStep {
  path: string;
  kind: "workflow" | "rescue";
  startedAt: Date;
}

/** Steps that call other steps are recorded when they end; until then what is inside them tells that they have begun, and when at the latest. */
export function enclosingSteps(steps: readonly { path: string; startedAt: Date }[]): EnclosingStep[] {
  const known = new Set(steps.map((step) => step.path));
  const found = new Map<string, EnclosingStep>();
  for (const { path, startedAt } of steps) {
    for (let at = enclosing(path); at !== null; at = enclosing(at)) {
      if (known.has(at)) continue;
      const before = found.get(at);
      if (before && before.startedAt <= startedAt) break;
      found.set(at, { path: at, kind: at.endsWith(".onError") ? "rescue" : "workflow", startedAt });
    }
  }
  return [...found.values()];
}

/** `fix` for `fix.draft`, for `fix.draft[2]` and for `fix.try[1].draft`; null at the top. */
function enclosing(path: string): string | null {
  const outer = path.replace(/\.[^.[\]]+(?:\[\d+\])?$/, "");
  return outer === path ? null : outer.replace(/\.try\[\d+\]$/, "");
}
