import type { SeededRandom } from "./seeded-random.ts";

const QUOTED_WORDS = 8;
const QUOTED_CHARACTERS = 60;

const OPENINGS = [
  "You write “{}”, and here is what follows from it.",
  "Thank you for your message about “{}”.",
  "On “{}”: the short answer comes first.",
  "We looked into “{}”.",
  "This answers “{}”.",
];

const SENTENCES = [
  "The main point is clear, and the details agree with it.",
  "Nothing in the text speaks against this.",
  "The next step is to check the account and confirm the change.",
  "If anything is missing, a short reply with the order number is enough.",
  "The same holds for similar cases of the last weeks.",
  "A colleague will follow up within one working day.",
  "Two of the three conditions are met, and the third is being checked.",
  "The cause lies in the last update, which has been rolled back.",
  "No further action is needed for now.",
  "Please keep the receipt until the matter is closed.",
];

const REASONS = [
  "The words “{}” point to it.",
  "It follows from “{}”.",
  "“{}” is the strongest hint in the text.",
  "Judged by “{}”, this fits best.",
];

/** A few words of a prompt, fit to be quoted within a sentence; never empty. */
export function quoteOf(prompt: string): string {
  const line = prompt
    .slice(0, 400)
    .toWellFormed()
    .replace(/[\p{C}\s“”"]+/gu, " ")
    .trim();
  const words = line.split(" ").slice(0, QUOTED_WORDS).join(" ");
  return Array.from(words).slice(0, QUOTED_CHARACTERS).join("").trim() || "the request";
}

/** An answer of some sentences that quotes the prompt and stays below `maxTokens`, roughly. */
export function writeAnswer(prompt: string, random: SeededRandom, maxTokens: number): string {
  const sentences = [random.pick(OPENINGS).replace("{}", () => quoteOf(prompt))];
  const count = random.integer(1, 4);
  for (let index = 0; index < count; index++) {
    const sentence = random.pick(SENTENCES);
    if (!sentences.includes(sentence)) sentences.push(sentence);
  }
  while (sentences.length > 1 && sentences.join(" ").length > maxTokens * 4) sentences.pop();
  const text = sentences.join(" ");
  return text.length <= maxTokens * 4
    ? text
    : Array.from(text)
        .slice(0, Math.max(1, maxTokens * 4))
        .join("")
        .trimEnd();
}

export function writeReason(quote: string, random: SeededRandom): string {
  return random.pick(REASONS).replace("{}", () => quote);
}

export function writeSentence(random: SeededRandom): string {
  return random.pick(SENTENCES);
}
