import { describe, expect, test } from "vitest";
import { compileFiles } from "../__fixtures__/compile-files.ts";

const HEAD = `---
input:
  schema:
    ticket: string
    tone?(enum): [calm, formal]
    n: integer
    vip: boolean
    customer:
      name: string
      address?: { city: string }
    orders(array): { id: string, note?: string, lines(array): string }
    tags(array): string
    labels: { (*): string }
    free: any
---
`;
const FIRST = HEAD.split("\n").length;

/** Problems of a prompt's body, lines counted from the body; unused variables left out. */
async function problems(body: string, partials: { [name: string]: string } = {}): Promise<string[]> {
  const files = Object.fromEntries(Object.entries(partials).map(([name, text]) => [`prompts/_${name}.prompt`, text]));
  const { diagnostics } = await compileFiles({ "prompts/p.prompt": HEAD + body, ...files });
  return diagnostics
    .filter(({ code }) => code !== "unused-variable")
    .map(({ file, line, column, code, message, hint }) => {
      const place = file === "prompts/p.prompt" ? `${line - FIRST + 1}:${column}` : `${file}:${line}:${column}`;
      return `${place} ${code} ${message}${hint === undefined ? "" : ` (${hint})`}`;
    });
}

describe("names that no input can give are errors at the name", () => {
  test.each([
    ["{{tikcet}}", '1:3 unknown-variable the input has no variable "tikcet" (did you mean "ticket"?)'],
    ["a\n  {{customer.nmae}}", '2:14 unknown-field customer has no field "nmae" (did you mean "name"?)'],
    ["{{customer.address.citty}}", '1:20 unknown-field address has no field "citty" (did you mean "city"?)'],
    ["{{ticket.size}}", '1:10 unknown-field ticket is text and has no field "size"'],
    ["{{#each orders}}{{idd}}{{/each}}", '1:19 unknown-field an element of orders has no field "idd" (did you mean "id"?)'],
    [
      "{{#each orders}}{{ticket}}{{/each}}",
      '1:19 unknown-field an element of orders has no field "ticket" (here names mean fields of an element of orders: write ../ticket)',
    ],
    [
      "{{#each orders}}{{#each lines}}{{ticket}}{{/each}}{{/each}}",
      '1:34 unknown-field an element of lines is text and has no field "ticket" (here names mean fields of an element of lines: write ../../ticket)',
    ],
    ["{{#each orders}}{{../tikcet}}{{/each}}", '1:22 unknown-variable the input has no variable "tikcet" (did you mean "ticket"?)'],
    [
      "{{#each orders}}{{#if note}}{{../../ticket}}{{/if}}{{/each}}",
      "1:31 unknown-variable ../../ leads out of the template (write @root.ticket for a variable of the input)",
    ],
    [
      "{{#each orders as |order i|}}{{order.idd}}{{/each}}",
      '1:38 unknown-field an element of orders has no field "idd" (did you mean "id"?)',
    ],
    [
      "{{#each orders as |order i|}}{{ordre.id}}{{/each}}",
      '1:32 unknown-field an element of orders has no field "ordre" (did you mean "order"?)',
    ],
    ["{{#with customer}}{{nam}}{{/with}}", '1:21 unknown-field customer has no field "nam" (did you mean "name"?)'],
    ["{{#with customer as |c|}}{{c.nam}}{{/with}}", '1:30 unknown-field customer has no field "nam" (did you mean "name"?)'],
    ["{{#if tikcet}}x{{/if}}", '1:7 unknown-variable the input has no variable "tikcet" (did you mean "ticket"?)'],
    ["{{#unless vip}}{{else}}{{tikcet}}{{/unless}}", '1:26 unknown-variable the input has no variable "tikcet" (did you mean "ticket"?)'],
    ["{{#if vip}}{{else if tikcet}}{{/if}}", '1:22 unknown-variable the input has no variable "tikcet" (did you mean "ticket"?)'],
    ["{{@root.tikcet}}", '1:9 unknown-variable the input has no variable "tikcet" (did you mean "ticket"?)'],
    ["{{this.tikcet}} {{./tikcet}}", '1:8 unknown-variable the input has no variable "tikcet" (did you mean "ticket"?)'],
    ['{{json (lookup customer "nmae")}}', '1:25 unknown-field customer has no field "nmae" (did you mean "name"?)'],
    ["{{json tikcet indent=2}}", '1:8 unknown-variable the input has no variable "tikcet" (did you mean "ticket"?)'],
    ["{{media url=tikcet}}", '1:13 unknown-variable the input has no variable "tikcet" (did you mean "ticket"?)'],
    ["{{#orders}}{{idd}}{{/orders}}", '1:14 unknown-field an element of orders has no field "idd" (did you mean "id"?)'],
    ["{{#customer}}{{nam}}{{/customer}}", '1:16 unknown-field customer has no field "nam" (did you mean "name"?)'],
    ["{{^vip}}{{tikcet}}{{/vip}}", '1:11 unknown-variable the input has no variable "tikcet" (did you mean "ticket"?)'],
    ["{{@index}}", "1:3 not-available-here @index exists only inside {{#each}}"],
    ["{{#each orders}}{{@../index}}{{/each}}", "1:19 not-available-here @../index exists only inside 2 {{#each}}"],
    ["{{customer.[first name]}}", '1:13 unknown-field customer has no field "first name" (its fields are: name, address)'],
    ['{{"tikcet"}}', '1:4 unknown-variable the input has no variable "tikcet" (did you mean "ticket"?)'],
  ])("%s", async (body, expected) => {
    expect((await problems(body))[0]).toBe(expected);
  });
});

describe("helpers", () => {
  test.each([
    ["{{jsn ticket}}", '1:3 unknown-helper there is no helper "jsn" (did you mean {{json ticket indent=2}}?)'],
    ["{{#eq n 1}}{{/eq}}", '1:4 unknown-helper there is no helper "eq" (did you mean {{#ifEquals tone "formal"}}…{{/ifEquals}}?)'],
    [
      "{{json (upper ticket)}}",
      '1:9 unknown-helper there is no helper "upper" (a variable is written alone, {{upper}}; the helpers are: role, history, section, media, json, ifEquals, unlessEquals, if, unless, each, with, lookup, log)',
    ],
    ["{{role}}", '1:3 wrong-arguments the helper "role" needs 1 argument, not 0 (write {{role "system"}})'],
    ['{{role "assistant"}}x', '1:8 unknown-role there is no role "assistant" (did you mean "model"?)'],
    ['{{#role "system"}}x{{/role}}', '1:4 wrong-arguments "role" is not a block (write {{role "system"}})'],
    ["{{if vip}}", '1:3 wrong-arguments "if" is a block (write {{#if tone}}…{{/if}})'],
    ["{{#if vip n}}{{/if}}", '1:4 wrong-arguments the helper "if" needs 1 argument, not 2 (write {{#if tone}}…{{/if}})'],
    ["{{#if}}{{/if}}", '1:4 wrong-arguments the helper "if" needs 1 argument, not 0 (write {{#if tone}}…{{/if}})'],
    ["{{media ticket}}", '1:3 wrong-arguments the helper "media" takes no arguments (write {{media url=photo}})'],
    ["{{media}}", '1:3 wrong-arguments the helper "media" needs a url (write {{media url=photo}})'],
    [
      "{{media url=ticket contenttype=ticket}}",
      '1:20 wrong-arguments the helper "media" has no argument "contenttype" (did you mean "contentType"?)',
    ],
    [
      "{{#each ticket}}{{/each}}",
      "1:9 type-mismatch ticket is neither a list nor an object, so {{#each}} never renders its block (for one value write {{#if …}} or {{#with …}})",
    ],
    ['{{#ifEquals tone "clam"}}{{/ifEquals}}', '1:18 never-equal tone is never "clam" (did you mean "calm"?)'],
    ['{{#unlessEquals n "3"}}{{/unlessEquals}}', '1:19 never-equal n is never "3"'],
    [
      "{{customer}}",
      "1:1 object-as-text customer is an object and prints as [object Object] (write {{json customer}}, or one of its fields)",
    ],
    ["{{#*shout}}{{/shout}}", '1:5 unknown-helper there is no decorator "shout" (the only one is {{#*inline "name"}}…{{/inline}})'],
  ])("%s", async (body, expected) => {
    expect((await problems(body))[0]).toBe(expected);
  });
});

describe("what is right is let through", () => {
  test.each([
    '{{role "system"}}S{{history}}{{role "user"}}{{ticket}} {{section "x"}} {{media url=ticket contentType="image/png"}}',
    "{{#each orders}}{{@index}}{{@first}}{{id}}{{#each lines}}{{this}}{{../id}}{{../../ticket}}{{@../index}}{{/each}}{{else}}{{ticket}}{{/each}}",
    "{{#each orders as |order i|}}{{i}}{{order.id}}{{#each order.lines as |line|}}{{line}}{{order.id}}{{../id}}{{/each}}{{/each}}",
    "{{#each labels}}{{@key}}: {{this}}{{/each}}{{labels.anything}}{{free.what.ever}}{{#each free}}{{x}}{{/each}}",
    "{{#with customer}}{{name}}{{#with address}}{{city}}{{../name}}{{../../ticket}}{{/with}}{{/with}}",
    "{{#with customer.address as |a|}}{{a.city}}{{/with}}{{#if vip}}{{ticket}}{{#each tags}}{{this}}{{../ticket}}{{/each}}{{/if}}",
    "{{tags.length}}{{tags.[0]}}{{orders.0.id}}{{ticket.length}}{{this.n}}{{./n}}{{@root.customer.name}}{{@state.count}}{{@auth.email}}",
    '{{lookup customer "name"}}{{lookup tags 0}}{{json (lookup orders 0)}}{{json this}}{{json customer indent=2}}',
    '{{#ifEquals tone "calm"}}a{{else}}b{{/ifEquals}}{{#ifEquals tone null}}{{/ifEquals}}{{#unlessEquals n 3}}{{/unlessEquals}}{{#ifEquals vip true}}{{/ifEquals}}',
    "{{#orders}}{{id}}{{../ticket}}{{/orders}}{{#vip}}{{ticket}}{{/vip}}{{^vip}}{{ticket}}{{/vip}}{{#customer}}{{name}}{{/customer}}",
    "{{#with this}}{{ticket}}{{/with}}{{#if (lookup labels ticket)}}{{/if}}{{!-- {{nope}} --}}\\{{nope}}{{{ticket}}}{{& ticket}}",
    '{{#*inline "row"}}{{id}}{{../ticket}}{{/inline}}{{#each orders}}{{> row}}{{/each}}',
  ])("%s", async (body) => {
    expect(await problems(body)).toEqual([]);
  });

  test("an expression as workflows write it is told apart from a price in dollars", async () => {
    expect(await problems("Read ${{ input.ticket }}")).toEqual([
      "1:6 not-an-expression a prompt has no ${{ expressions }}: the dollar is printed as it stands (write {{ticket}})",
    ]);
    expect(await problems("${{n}} ${{customer.name}}")).toEqual([]);
    const { lines } = await compileFiles({
      "prompts/a.prompt": "${{ steps.a.output }}",
      "prompts/b.prompt": "---\ninput: { schema: { input: { price: number } } }\n---\n${{input.price}}",
    });
    expect(lines).toEqual([expect.stringContaining("prompts/a.prompt:1:1 not-an-expression")]);
  });

  test("a template without an input schema may use any variable", async () => {
    const { diagnostics } = await compileFiles({ "prompts/p.prompt": "{{a.b}}{{#each c}}{{d}}{{../e}}{{@../index}}{{/each}}" });
    expect(diagnostics.map(({ message }) => message)).toEqual(["@../index exists only inside 2 {{#each}}"]);
  });
});

describe("partials", () => {
  test("an unknown partial is told at its name, with the nearest", async () => {
    expect(await problems("x {{> hose_style}}", { house_style: "" })).toEqual([
      '1:7 unknown-partial there is no partial "hose_style" (did you mean "house_style"?)',
    ]);
    expect(await problems("{{> zebra}}")).toEqual(['1:5 unknown-partial there is no partial "zebra" (write prompts/_zebra.prompt)']);
  });

  test("a mistake in a partial is told in the partial's file, for the prompt whose input it is", async () => {
    expect(await problems("{{> quote}}", { quote: "One\n{{tikcet}}" })).toEqual([
      'prompts/_quote.prompt:2:3 unknown-variable the input of the prompt "p" has no variable "tikcet" (did you mean "ticket"?)',
    ]);
  });

  test("arguments, a context of its own and @root are known inside", async () => {
    const partials = {
      quote: "{{text}}{{ticket}}{{@root.n}}",
      person: "{{name}}{{#with address}}{{city}}{{/with}}",
      row: "{{id}}{{by}}{{@index}}",
    };
    expect(
      await problems("{{> quote text=ticket}}{{> person customer}}{{#each orders}}{{> row by=@root.ticket}}{{/each}}", partials),
    ).toEqual([]);
  });

  test("what a partial is not given is missing inside", async () => {
    expect(await problems("{{> person customer}}", { person: "{{naem}}{{ticket}}{{../ticket}}" })).toEqual([
      'prompts/_person.prompt:1:3 unknown-field customer has no field "naem" (did you mean "name"?)',
      'prompts/_person.prompt:1:11 unknown-field customer has no field "ticket" (its fields are: name, address)',
      "prompts/_person.prompt:1:21 unknown-variable ../ leads out of the partial (write @root.ticket for a variable of the input)",
    ]);
  });

  test("the same partial in two contexts is checked in both", async () => {
    const partials = { name: "{{name}}" };
    expect(await problems("{{> name customer}}{{#each orders}}{{> name}}{{/each}}", partials)).toEqual([
      'prompts/_name.prompt:1:3 unknown-field an element of orders has no field "name" (its fields are: id, note, lines)',
    ]);
  });

  test("a block handed to a partial sees what the partial is rendering", async () => {
    const partials = { list: "{{#each orders}}{{> @partial-block}}{{/each}}" };
    expect(await problems("{{#> list}}{{id}}{{/list}}", partials)).toEqual([]);
    expect((await problems("{{#> list}}{{idd}}{{/list}}", partials))[0]).toContain('an element of orders has no field "idd"');
    expect((await problems("{{#> missing}}{{tikcet}}{{/missing}}"))[0]).toContain('the input has no variable "tikcet"');
  });

  test("partials that include each other are refused, once, where the circle closes", async () => {
    const partials = { a: "{{> b}}", b: "x\n{{#if vip}}{{> c}}{{/if}}", c: "{{> a}}", alone: "{{> alone}}" };
    expect(await problems("{{> a}}{{> c}}", partials)).toEqual([
      "prompts/_alone.prompt:1:5 cycle partials include each other in a circle: alone → alone (a partial cannot include itself: repeat with {{#each}} what repeats)",
      "prompts/_c.prompt:1:5 cycle partials include each other in a circle: a → b → c → a (a partial cannot include itself: repeat with {{#each}} what repeats)",
    ]);
  });

  test("a partial that nobody includes is checked for what is wrong whatever its context", async () => {
    expect(await problems("x", { spare: "{{anything}}{{shout x}}{{> nowhere}}{{@index}}" })).toEqual([
      expect.stringContaining('prompts/_spare.prompt:1:15 unknown-helper there is no helper "shout"'),
      expect.stringContaining('prompts/_spare.prompt:1:28 unknown-partial there is no partial "nowhere"'),
    ]);
    expect((await problems("x", { spare: "a\n{{#if x}}" }))[0]).toContain(
      "prompts/_spare.prompt:2:1 syntax the block {{#if}} is never closed",
    );
  });

  test("a partial whose name is computed while rendering is accepted, and all partials go with the prompt", async () => {
    const { bundle, lines } = await compileFiles({
      "prompts/p.prompt": "{{> (lookup this 'style')}}",
      "prompts/_a.prompt": "A",
      "prompts/_b.prompt": "B",
    });
    expect(lines).toEqual([]);
    expect(bundle?.flows.p).toMatchObject({ partials: { a: "A", b: "B" } });
  });

  test("partials that call themselves with ever more arguments, or fan out, end", async () => {
    const doubling = Object.fromEntries(
      Array.from({ length: 45 }, (_, index) => [`p${index}`, `{{> p${index + 1} a=this b=this}}{{> p${index + 1} a=a b=this}}`]),
    );
    const inline = '{{#*inline "x"}}{{> x a=this}}{{/inline}}{{> x}}';
    expect(await problems(`${inline}{{> p0}}`, { ...doubling, p45: "{{tikcet}}" })).toEqual(expect.any(Array));
  });
});

describe("variables that are declared and never used", () => {
  async function unused(schema: string, body: string, partials: { [path: string]: string } = {}): Promise<string[]> {
    const { lines } = await compileFiles({ "prompts/p.prompt": `---\ninput:\n  schema:\n${schema}\n---\n${body}`, ...partials });
    return lines;
  }

  test("are warnings at their declaration", async () => {
    expect(await unused("    ticket: string\n    tone?(enum, how to speak): [a, b]", "{{ticket}}")).toEqual([
      'prompts/p.prompt:5:5 unused-variable the prompt never uses its variable "tone" (write {{tone}}, or remove it)',
    ]);
    expect(await unused("    type: object\n    properties:\n      a: { type: string }\n      b: { type: string }", "{{a}}")).toEqual([
      'prompts/p.prompt:7:7 unused-variable the prompt never uses its variable "b" (write {{b}}, or remove it)',
    ]);
  });

  test.each([
    "{{json this}}",
    "{{json @root}}",
    "{{#each this}}{{this}}{{/each}}",
    "{{lookup this a}}",
    "{{a}}{{#if b}}{{/if}}",
    "{{> both}}",
    "{{> any x=this}}{{> some this}}{{> (lookup @state 'p') this}}",
  ])("not when %s uses them", async (body) => {
    const partials = { "prompts/_both.prompt": "{{a}}{{@root.b}}", "prompts/_any.prompt": "{{x.a}}", "prompts/_some.prompt": "{{b}}" };
    expect(await unused("    a: string\n    b: string", body, partials)).toEqual([]);
  });

  test("not when a part of the template could not be looked at", async () => {
    expect(await unused("    a: string", "{{> nowhere}}")).toHaveLength(1);
  });
});

describe("schemas beyond Picoschema", () => {
  async function check(schema: object, body: string): Promise<string[]> {
    const { lines } = await compileFiles({ "prompts/p.prompt": `---\n${JSON.stringify({ input: { schema } })}\n---\n${body}` });
    return lines.filter((line) => !line.includes("unused-variable"));
  }

  test("references and recursion are followed", async () => {
    const schema = {
      type: "object",
      properties: { tree: { $ref: "#/$defs/node" } },
      $defs: {
        node: { type: "object", properties: { name: { type: "string" }, children: { type: "array", items: { $ref: "#/$defs/node" } } } },
      },
    };
    expect(await check(schema, "{{tree.name}}{{#each tree.children}}{{#each children}}{{name}}{{nmae}}{{/each}}{{/each}}")).toEqual([
      'prompts/p.prompt:4:65 unknown-field an element of children has no field "nmae" (did you mean "name"?)',
    ]);
  });

  test("of alternatives a field must be in one, of combined schemas too", async () => {
    const a = { type: "object", properties: { a: { type: "string" } } };
    const b = { type: "object", properties: { b: { type: "string" } } };
    for (const keyword of ["anyOf", "oneOf", "allOf"]) {
      expect(await check({ type: "object", properties: { x: { [keyword]: [a, b] } } }, "{{x.a}}{{x.b}}{{x.c}}")).toEqual([
        'prompts/p.prompt:4:19 unknown-field x has no field "c" (its fields are: a, b)',
      ]);
    }
    expect(await check({ ...a, ...{ anyOf: [{ required: ["a"] }, b] } }, "{{a}}{{b}}")).toEqual([]);
  });

  test("an open object and a map allow any field", async () => {
    const open = { type: "object", properties: { a: {} }, additionalProperties: true };
    expect(await check({ type: "object", properties: { open, map: { type: "object" } } }, "{{open.z}}{{map.z}}")).toEqual([]);
  });

  test("an input that is text has no variables", async () => {
    const { lines } = await compileFiles({ "prompts/p.prompt": "---\ninput: { schema: string }\n---\n{{this}}{{ticket}}" });
    expect(lines).toEqual([
      'prompts/p.prompt:4:11 unknown-variable the input has no variable "ticket" (the input is no object: write {{this}})',
    ]);
  });

  test("a variable that is called as a helper is must be read through this", async () => {
    const { lines } = await compileFiles({ "prompts/p.prompt": "---\ninput: { schema: { role: string } }\n---\n{{this.role}}{{role}}" });
    expect(lines).toEqual([
      'prompts/p.prompt:4:16 wrong-arguments the helper "role" needs 1 argument, not 0 (for the variable write {{this.role}})',
    ]);
  });
});
