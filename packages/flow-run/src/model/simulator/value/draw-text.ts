import type { SeededRandom } from "../seeded-random.ts";
import { writeReason, writeSentence } from "../sentences.ts";
import { formatText } from "./format-text.ts";
import type { SchemaObject } from "./merge-schemas.ts";
import { NoValueError } from "./no-value-error.ts";
import { wordsOfName } from "./words-of-name.ts";

const MOST_CHARACTERS = 1_000_000;

/** Text that a property of that name usually holds: by a word of the name, the last of its words first. */
const USUAL: { [word: string]: readonly string[] | "reason" | { format: string } | ((random: SeededRandom) => string) } = {
  email: { format: "email" },
  mail: { format: "email" },
  url: { format: "uri" },
  link: { format: "uri" },
  website: { format: "uri" },
  uuid: { format: "uuid" },
  date: { format: "date" },
  day: { format: "date" },
  deadline: { format: "date" },
  time: { format: "date-time" },
  timestamp: { format: "date-time" },
  at: { format: "date-time" },
  id: (random) => `${random.pick(["A", "B", "C", "K"])}-${random.integer(1000, 9999)}`,
  number: (random) => String(random.integer(1000, 9999)),
  phone: (random) => `+1 555 01${random.integer(10, 99)}`,
  name: ["Ada Stone", "Grace Hill", "Mary Field", "Noor Haddad", "Omar Silva", "Sofia Berg", "Tomas Novak"],
  author: ["Ada Stone", "Grace Hill", "Mary Field", "Noor Haddad", "Omar Silva"],
  customer: ["Ada Stone", "Grace Hill", "Mary Field", "Noor Haddad", "Omar Silva"],
  city: ["Berlin", "Lisbon", "Nairobi", "Oslo", "Toronto"],
  country: ["Canada", "Germany", "Kenya", "Norway", "Portugal"],
  currency: ["EUR", "USD", "GBP"],
  language: ["English", "German", "French", "Spanish"],
  locale: ["en", "de", "fr", "es"],
  sentiment: ["positive", "neutral", "negative"],
  tone: ["friendly", "neutral", "impatient", "worried"],
  category: ["billing", "delivery", "account", "product", "other"],
  label: ["billing", "delivery", "account", "product", "other"],
  topic: ["billing", "delivery", "account", "product"],
  tag: ["billing", "delivery", "urgent", "follow-up", "account"],
  tags: ["billing", "delivery", "urgent", "follow-up", "account"],
  keyword: ["refund", "invoice", "delivery", "password", "update"],
  keywords: ["refund", "invoice", "delivery", "password", "update"],
  status: ["open", "in progress", "done"],
  priority: ["low", "normal", "high"],
  title: ["A question about the last order", "A short note on the change", "What to do next"],
  subject: ["Your question about the last order", "Your request", "A short update"],
  question: ["Which order is this about?", "When did it begin?", "What was expected instead?", "Has the payment arrived?"],
  questions: ["Which order is this about?", "When did it begin?", "What was expected instead?", "Has the payment arrived?"],
  reason: "reason",
  explanation: "reason",
  rationale: "reason",
  justification: "reason",
  reasoning: "reason",
};

/** A text within the schema's format, pattern and length; where it leaves room, a usual one for a property of that name. */
export function drawText(schema: SchemaObject, name: string, random: SeededRandom, quote: string, patternText: PatternText): string {
  const least = Math.max(0, Number(schema.minLength ?? 0));
  const most = Math.min(MOST_CHARACTERS, Number(schema.maxLength ?? MOST_CHARACTERS));
  if (least > most) throw new NoValueError("no text of that length");
  if (typeof schema.pattern === "string") return patternText(schema.pattern, least, most, random.integer(0, 2 ** 31));
  const formatted = typeof schema.format === "string" ? formatText(schema.format, random) : undefined;
  if (formatted === undefined) return fitLength(usualText(name, random, quote), least, most, random);
  if (formatted.length < least || formatted.length > most) throw new NoValueError("no text of that format and length");
  return formatted;
}

/** Finds a text that a regular expression matches. */
export type PatternText = (pattern: string, minLength: number, maxLength: number, seed: number) => string;

function usualText(name: string, random: SeededRandom, quote: string): string {
  for (const word of wordsOfName(name).reverse()) {
    const usual = Object.hasOwn(USUAL, word) ? USUAL[word] : undefined;
    if (usual === undefined) continue;
    if (usual === "reason") return writeReason(quote, random);
    if (typeof usual === "function") return usual(random);
    if ("format" in usual) return formatText(usual.format, random)!;
    return random.pick(usual);
  }
  return writeSentence(random);
}

/** Lengths count characters as JSON Schema does: code points. */
function fitLength(text: string, least: number, most: number, random: SeededRandom): string {
  let characters = Array.from(text);
  while (characters.length < least) characters = characters.concat(Array.from(` ${writeSentence(random)}`));
  if (characters.length <= most) return characters.join("");
  const cut = characters.slice(0, most);
  const trimmed = cut.join("").trim();
  return Array.from(trimmed).length >= least ? trimmed : cut.join("");
}
