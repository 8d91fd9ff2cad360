import fc from "fast-check";

/** Expressions over the table's scope, mostly well typed, as text. */
export function expressions(): fc.Arbitrary<string> {
  const join = (...parts: (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> =>
    fc.tuple(...parts.map((part) => (typeof part === "string" ? fc.constant(part) : part))).map((texts) => texts.join(""));
  const { any } = fc.letrec<Record<"any" | "int" | "num" | "str" | "bool" | "strs" | "orders" | "maybe" | "obj", string>>((tie) => {
    const [int, num, str, bool, strs, orders, maybe, obj] = (["int", "num", "str", "bool", "strs", "orders", "maybe", "obj"] as const).map(tie) as [
      ...fc.Arbitrary<string>[],
    ] as fc.Arbitrary<string>[] as [
      fc.Arbitrary<string>,
      fc.Arbitrary<string>,
      fc.Arbitrary<string>,
      fc.Arbitrary<string>,
      fc.Arbitrary<string>,
      fc.Arbitrary<string>,
      fc.Arbitrary<string>,
      fc.Arbitrary<string>,
    ];
    const one = (...options: (string | fc.Arbitrary<string>)[]) =>
      fc.oneof(
        { depthSize: "small", withCrossShrink: true, maxDepth: 4 },
        ...options.map((option) => (typeof option === "string" ? fc.constant(option) : option)),
      );
    const leaf = (...texts: string[]) => fc.constantFrom(...texts);
    const compare = leaf(" < ", " <= ", " > ", " >= ", " == ", " != ");
    const choose = (value: fc.Arbitrary<string>) => join("(", bool, " ? ", value, " : ", value, ")");
    const bound = (value: fc.Arbitrary<string>) => join("cel.bind(b, ", value, ", ", choose(fc.constant("b")), ")");
    return {
      int: one(
        leaf("0", "1", "2", "7", "input.n", "input.limit", "index", "-3"),
        join("(", int, leaf(" + ", " - ", " * ", " % "), int, ")"),
        join("-", int),
        join("size(", fc.oneof(str, strs, orders, obj), ")"),
        join(str, leaf(".indexOf(", ".lastIndexOf("), str, ")"),
        join("round(", num, ")"),
        join("int(", num, ")"),
        choose(int),
        bound(int),
      ),
      num: one(
        leaf("1.5", "0.25", "input.price", "steps.triage.output.score", "input.orders[0].total"),
        int,
        join("(", num, leaf(" + ", " - ", " * ", " / ", " % "), num, ")"),
        join("double(", num, ")"),
        join(leaf("sum(", "min(", "max("), orders, ".map(o, o.total))"),
        choose(num),
      ),
      str: one(
        leaf('"a"', '"bug"', '""', "input.ticket", "steps.triage.output.category", "steps.tone.output", "input.tree.name", "run.id", "vars.REGION"),
        join("(", str, " + ", str, ")"),
        join("string(", fc.oneof(num, bool, str), ")"),
        join("toJson(", obj, ")"),
        join(strs, '.join(",")'),
        join(str, leaf(".trim()", ".upperAscii()", ".lowerAscii()", ".substring(1)", '.replace("a", "bb")')),
        join("coalesce(", maybe, ", ", str, ")"),
        join(maybe, ".orValue(", str, ")"),
        join(strs, "[", int, "]"),
        "input.labels[input.ticket]",
        "(has(input.tone) && input.tone != null ? input.tone : input.ticket)",
        "(steps.draft.output == null ? input.ticket : steps.draft.output.reply)",
        choose(str),
        bound(str),
      ),
      maybe: one(
        leaf("input.?tone", "input.orders[?0].?note", "input.labels.?a", "steps.draft.output.?reply", "item.?source", "input.tags[?1]"),
        join("(", bool, " ? ", maybe, " : ", maybe, ")"),
      ),
      bool: one(
        leaf("true", "false", "input.vip", "steps.triage.output.urgent", "has(input.tone)", "steps.draft.output != null", "has(item.source)"),
        join("(", num, compare, num, ")"),
        join("(", str, compare, str, ")"),
        join("(", strs, leaf(" == ", " != "), strs, ")"),
        join("(", bool, leaf(" && ", " || "), bool, ")"),
        join("!(", bool, ")"),
        join("(", str, " in ", strs, ")"),
        join("(", str, " in input.labels)"),
        join(str, leaf(".contains(", ".startsWith(", ".endsWith("), str, ")"),
        join(str, '.matches("^[a-z]+")'),
        join(maybe, ".hasValue()"),
        join(orders, leaf(".all(o, ", ".exists(o, ", ".exists_one(o, "), fc.oneof(bool, leaf("has(o.note)", "o.total > 2.0", 'has(o.note) && o.note == "x"')), ")"),
        join(strs, leaf(".all(t, ", ".exists(t, "), leaf("size(t) > 1", 't == "a"', "t in input.labels", "10 / size(t) > input.n"), ")"),
        choose(bool),
      ),
      strs: one(
        leaf("input.tags", "steps.triage.output.questions", "[]", 'input.ticket.split(" ")'),
        join("[", str, ", ", str, "]"),
        join("(", strs, " + ", strs, ")"),
        join(strs, leaf(".distinct()", ".reverse()", ".slice(0, 1)")),
        join(strs, ".map(t, ", fc.oneof(str, leaf("t", "t + t", "t.trim()")), ")"),
        join(strs, ".filter(t, ", leaf("size(t) > 0", 't != "a"', "t in input.tags"), ")"),
        join(orders, ".map(o, ", fc.oneof(str, leaf("o.id", 'o.?note.orValue("-")', "string(o.total)")), ")"),
        join(orders, ".filter(o, has(o.note)).map(o, o.note)"),
        join("[", strs, ", ", strs, "].flatten()"),
        "steps.facts.output.filter(f, has(f.source) && f.source != null).map(f, f.source)",
        choose(strs),
      ),
      orders: one(
        "input.orders",
        join(orders, ".filter(o, ", fc.oneof(bool, leaf("o.total > 2.0", "has(o.note)")), ")"),
        join("(", orders, " + ", orders, ")"),
        choose(orders),
      ),
      obj: one(leaf("input.labels", "item", "input.meta"), join('{"a": ', num, ', "b": ', strs, ', "c": ', str, "}")),
      any: fc.oneof(int, num, str, bool, strs, orders, maybe, obj, str.map((text) => text), join(str, " + ", int), join(bool, " ? ", str, " : ", maybe)),
    };
  });
  return any;
}

const text = fc.oneof(fc.constantFrom("a", "b", "bug", "x", "Refund now", "a😀b", ""), fc.string({ maxLength: 6 }));
const number = fc.oneof(fc.integer({ min: -3, max: 12 }), fc.integer({ min: -5_000, max: 5_000 }).map((cents) => cents / 100));

/** Data of the types that the table's scope has. */
export function values(): fc.Arbitrary<{ [name: string]: unknown }> {
  const order = fc.record({ id: text, total: number, note: text }, { requiredKeys: ["id", "total"] });
  const fact = fc.record({ answer: text, source: fc.option(text) }, { requiredKeys: ["answer"] });
  return fc.record({
    input: fc.record(
      {
        ticket: text,
        tone: fc.option(text),
        n: fc.integer({ min: -5, max: 9 }),
        price: number,
        vip: fc.boolean(),
        limit: fc.integer({ min: 0, max: 9 }),
        tags: fc.array(text, { maxLength: 3 }),
        orders: fc.array(order, { maxLength: 3 }),
        meta: fc.dictionary(text, fc.oneof(text, number), { maxKeys: 2, noNullPrototype: true }),
        labels: fc.dictionary(fc.constantFrom("a", "b", "bug", "constructor"), text, { maxKeys: 3, noNullPrototype: true }),
        tree: fc.constant({ name: "root", children: [] }),
      },
      { requiredKeys: ["ticket", "n", "price", "vip", "limit", "tags", "orders", "meta", "labels", "tree"], noNullPrototype: true },
    ),
    steps: fc.record({
      triage: fc.record({
        output: fc.record({
          category: fc.constantFrom("billing", "bug", "other"),
          urgent: fc.boolean(),
          questions: fc.array(text, { maxLength: 2 }),
          score: number,
        }),
      }),
      facts: fc.record({ output: fc.array(fact, { maxLength: 3 }) }),
      draft: fc.record({ output: fc.option(fc.record({ reply: text })) }),
      page: fc.record({ output: fc.jsonValue() as fc.Arbitrary<unknown> }),
      tone: fc.record({ output: text }),
    }),
    item: fact,
    index: fc.nat({ max: 3 }),
    run: fc.constant({ id: "run_1", flow: "reply", environment: "dev", startedAt: new Date(0) }),
    vars: fc.constant({ REGION: "eu" }),
  });
}
