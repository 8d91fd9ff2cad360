import type { SeededRandom } from "../seeded-random.ts";

const DOMAINS = ["example.com", "example.org", "example.net"];
const PEOPLE = ["ada", "grace", "linus", "mary", "noor", "omar", "sofia", "tomas"];

/** A text in a JSON Schema format; undefined for a format that asks nothing of it. */
export function formatText(format: string, random: SeededRandom): string | undefined {
  switch (format) {
    case "email":
    case "idn-email":
      return `${random.pick(PEOPLE)}@${random.pick(DOMAINS)}`;
    case "uri":
    case "url":
    case "iri":
    case "uri-reference":
    case "iri-reference":
    case "uri-template":
      return `https://${random.pick(DOMAINS)}/articles/${random.integer(1, 999)}`;
    case "hostname":
    case "idn-hostname":
      return `www.${random.pick(DOMAINS)}`;
    case "ipv4":
      return `192.0.2.${random.integer(1, 254)}`;
    case "ipv6":
      return `2001:db8::${random.integer(1, 9999)}`;
    case "uuid":
      return uuid(random);
    case "date":
      return day(random);
    case "time":
    case "iso-time":
      return `${time(random)}Z`;
    case "date-time":
    case "iso-date-time":
      return `${day(random)}T${time(random)}Z`;
    case "duration":
      return `PT${random.integer(1, 59)}M`;
    case "json-pointer":
      return "/items/0";
    case "relative-json-pointer":
      return "0";
    case "json-pointer-uri-fragment":
      return "#/items/0";
    case "regex":
      return "^[a-z]+$";
    case "byte":
      return "c2ltdWxhdGVk";
    default:
      return undefined;
  }
}

function day(random: SeededRandom): string {
  return `2026-${twoDigits(random.integer(1, 12))}-${twoDigits(random.integer(1, 28))}`;
}

function time(random: SeededRandom): string {
  return `${twoDigits(random.integer(8, 17))}:${twoDigits(random.integer(0, 59))}:${twoDigits(random.integer(0, 59))}`;
}

function uuid(random: SeededRandom): string {
  const digits = (count: number) => Array.from({ length: count }, () => random.integer(0, 15).toString(16)).join("");
  return `${digits(8)}-${digits(4)}-4${digits(3)}-a${digits(3)}-${digits(12)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
