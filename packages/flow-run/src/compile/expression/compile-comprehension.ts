import { asBool, isForgivable } from "./compile-operator.ts";
import { FORGIVEN, type Frame, type Run } from "./evaluation.ts";
import type { Tree } from "./parse.ts";
import type { Surroundings } from "./surroundings.ts";
import { treeSize } from "./tree-shape.ts";
import { kindOf } from "./value-kind.ts";

const NAMES = ["map", "filter", "all", "exists", "exists_one"] as const;
export type ComprehensionName = (typeof NAMES)[number];

export function isComprehensionName(name: string): name is ComprehensionName {
  return (NAMES as readonly string[]).includes(name);
}

export function isComprehension(name: string, args: readonly Tree[]): name is ComprehensionName {
  return (
    (NAMES as readonly string[]).includes(name) && (args.length === 2 || (args.length === 3 && name === "map")) && args[0]!.op === "id"
  );
}

/** `xs.map(x, …)`, `xs.map(x, condition, …)`, `filter`, `all`, `exists`, `exists_one`. */
export function compileComprehension(name: ComprehensionName, list: Tree, args: readonly Tree[], around: Surroundings): Run {
  const slot = around.locals.length;
  const locals = [...around.locals, args[0]!.args as string];
  const source = around.compile(list);
  const listSite = around.site(list);
  const bodies = args.slice(1).map((body) => around.compile(body, locals));
  const sites = args.slice(1).map((body) => around.site(body));
  // A large body counts more than once, so that fuel bounds time.
  const price = 1 + args.slice(1).reduce((sum, body) => sum + (treeSize(body) >> 4), 0);
  const [body, transform] = bodies as [Run, Run | undefined];
  const site = sites[0]!;

  const elements = (frame: Frame): readonly unknown[] => {
    const value = source(frame);
    return Array.isArray(value) ? value : listSite.fail("bad-value", `A list is needed here, not ${kindOf(value)}.`);
  };
  const visit = (frame: Frame, element: unknown): void => {
    listSite.spend(frame, price);
    frame.locals[slot] = element;
  };
  const test = (frame: Frame, element: unknown): boolean => {
    visit(frame, element);
    return asBool(body(frame), site);
  };

  switch (name) {
    case "map":
      return (frame) => {
        const made: unknown[] = [];
        for (const element of elements(frame)) {
          if (transform === undefined) visit(frame, element);
          else if (!test(frame, element)) continue;
          made.push((transform ?? body)(frame) ?? null);
        }
        return made;
      };
    case "filter":
      return (frame) => elements(frame).filter((element) => test(frame, element));
    case "all":
      return (frame) =>
        !decides(
          elements(frame),
          false,
          (element) => test(frame, element),
          () => listSite.spend(frame, FORGIVEN),
        );
    case "exists":
      return (frame) =>
        decides(
          elements(frame),
          true,
          (element) => test(frame, element),
          () => listSite.spend(frame, FORGIVEN),
        );
    case "exists_one":
      return (frame) => elements(frame).reduce((count: number, element) => count + (test(frame, element) ? 1 : 0), 0) === 1;
  }
}

/** Whether some element gives `decisive`; a failing element is forgiven if another one decides. */
function decides(elements: readonly unknown[], decisive: boolean, test: (element: unknown) => boolean, forgive: () => void): boolean {
  let failure: { error: unknown } | undefined;
  for (const element of elements) {
    try {
      if (test(element) === decisive) return true;
    } catch (error) {
      if (!isForgivable(error)) throw error;
      forgive();
      failure ??= { error };
    }
  }
  if (failure) throw failure.error;
  return false;
}
