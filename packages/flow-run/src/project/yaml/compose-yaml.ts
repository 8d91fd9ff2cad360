import { Composer, type CST, type Document, Lexer, LineCounter, Parser } from "yaml";

/** Deepest nesting of a document: far above what anybody writes, far below what overflows the stack of recursive code. */
const MAX_DEPTH = 100;
/** Most lexical tokens (a word, a colon, a line break…) of a document. The parser takes some microseconds for each. */
const MAX_LEXEMES = 250_000;

/** The first thing that is wrong with YAML text; offsets count from the text's start. */
export interface YamlFault {
  /** The parser's code, or `DEPTH`, `SIZE` or `MULTIPLE_DOCS`. */
  kind: string;
  message: string;
  start: number;
  end: number;
}

export interface ComposedYaml {
  document: Document;
  lineCounter: LineCounter;
  /** When there is one, the document must not be used. */
  fault?: YamlFault;
}

/**
 * YAML 1.2 text → document, stopping early at text made to exhaust us. Duplicate keys are left to `nodeValue`: the parser compares each
 * pair of keys.
 */
export function composeYaml(text: string): ComposedYaml {
  const lineCounter = new LineCounter();
  const limits: { fault?: YamlFault } = {};
  const composer = new Composer({
    version: "1.2",
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
    resolveKnownTags: false,
    lineCounter,
  });
  let document: Document | undefined;
  let second: Document | undefined;
  for (const composed of composer.compose(parse(text, lineCounter, limits), true, text.length)) {
    if (document !== undefined) {
      second = composed;
      break;
    }
    document = composed;
  }
  return { document: document!, lineCounter, fault: limits.fault ?? firstFault(document!, second) };
}

function* parse(text: string, lineCounter: LineCounter, limits: { fault?: YamlFault }): Generator<CST.Token> {
  lineCounter.addNewLine(0);
  const parser = new Parser(lineCounter.addNewLine);
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    lexemes += 1;
    if (parser.stack.length > MAX_DEPTH) {
      limits.fault = faultAt(parser.offset, "DEPTH", `the document is nested more than ${MAX_DEPTH} deep`);
      return;
    }
    if (lexemes > MAX_LEXEMES) {
      limits.fault = faultAt(parser.offset, "SIZE", "the document has too many parts");
      return;
    }
  }
  yield* parser.end();
}

function faultAt(offset: number, kind: string, message: string): YamlFault {
  return { kind, message, start: offset, end: offset };
}

function firstFault(document: Document, second: Document | undefined): YamlFault | undefined {
  const error = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0])[0];
  if (error !== undefined) {
    // The library's own texts can quote what stands there; only the kind and its first line are used.
    return { kind: error.code, message: error.message.split("\n")[0]!, start: error.pos[0], end: error.pos[1] };
  }
  if (second === undefined) return undefined;
  const start = second.range?.[0] ?? 0;
  return { kind: "MULTIPLE_DOCS", message: "a file holds one document", start, end: start };
}
