import type { YamlFault } from "./compose-yaml.ts";

/** A syntax error in plain words. */
export interface PlainFault {
  code: string;
  message: string;
  hint: string;
}

const QUOTES = "write text in single quotes";

const WORDS: { [kind: string]: PlainFault } = {
  TAB_AS_INDENT: { code: "syntax", message: "a tab cannot indent YAML", hint: "indent with spaces" },
  BLOCK_AS_IMPLICIT_KEY: { code: "syntax", message: 'a second ": " on one line is not allowed here', hint: QUOTES },
  MULTILINE_IMPLICIT_KEY: {
    code: "syntax",
    message: "a key must stand on one line",
    hint: 'check the indentation and the ":" after the key',
  },
  BAD_SCALAR_START: { code: "syntax", message: "text cannot begin with this character", hint: QUOTES },
  BAD_DQ_ESCAPE: { code: "syntax", message: "unknown escape after \\ in double quotes", hint: `${QUOTES}, where \\ means itself` },
  NON_STRING_KEY: { code: "syntax", message: "a key must be text", hint: "an expression is written '${{ … }}', in quotes" },
  TAG_RESOLVE_FAILED: { code: "syntax", message: "tags (!name) are not supported", hint: `remove the tag, or ${QUOTES}` },
  BAD_DIRECTIVE: { code: "syntax", message: "directives (%NAME) are not supported", hint: "remove the line" },
  MULTIPLE_DOCS: {
    code: "multiple-documents",
    message: "the file holds more than one YAML document",
    hint: "make a file of each: remove the line ---",
  },
  DEPTH: { code: "too-deep", message: "the document is nested more than 100 deep", hint: "take it apart" },
  RESOURCE_EXHAUSTION: { code: "too-deep", message: "the document is nested too deep", hint: "take it apart" },
  SIZE: { code: "file-too-large", message: "the document has too many parts", hint: "move data into datasets, or split the file" },
};

/** Words and a hint for the first syntax error; `line` is the text of the line in which it stands. */
export function plainFault(fault: YamlFault, line: string): PlainFault {
  const known = WORDS[fault.kind];
  const quoted = line.includes("${{") && line.includes('"');
  if (known !== undefined) return quoted && known.code === "syntax" ? { ...known, hint: QUOTES } : known;
  return { code: "syntax", message: lowerFirst(fault.message), hint: hintFor(fault, line, quoted) };
}

function hintFor(fault: YamlFault, line: string, quoted: boolean): string {
  if (quoted || fault.message.startsWith("Unexpected scalar at node end")) return QUOTES;
  if (fault.kind === "MISSING_CHAR" && fault.message.includes("quote")) return "close the quote";
  if (fault.message.includes("end with a }") || fault.message.includes("end with a ]"))
    return `close the bracket with ${fault.message.at(-1)}`;
  if (fault.message.startsWith("Implicit map keys")) return 'write ": " and a value after the key';
  if (fault.kind === "BAD_INDENT" || fault.message.includes("without - indicator")) return "check the indentation of this line";
  return line.includes(":") ? `check the indentation, or ${QUOTES}` : QUOTES;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
