import { isUtf8 } from "node:buffer";
import { offsetPlace, type TextPlace } from "@flow-run/spec";

/** Text of a file, or why its bytes are not text. */
export type DecodedText = { text: string } | { problem: { code: string; message: string; hint: string; place?: TextPlace } };

/** Bytes → text: UTF-8 without its byte order mark, CRLF as LF. */
export function decodeText(bytes: Buffer): DecodedText {
  if (!isUtf8(bytes)) return { problem: notUtf8(bytes) };
  const text = bytes
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .replaceAll("\r\n", "\n");
  const nul = text.indexOf("\0");
  if (nul === -1) return { text };
  return {
    problem: {
      code: "not-text",
      message: "the file has a NUL character: it is not text, or text in another encoding than UTF-8",
      hint: "save it as UTF-8",
      place: offsetPlace(text, nul),
    },
  };
}

function notUtf8(bytes: Buffer): { code: string; message: string; hint: string; place?: TextPlace } {
  const hint = "save it as UTF-8";
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (utf16) return { code: "not-utf8", message: "the file is UTF-16, not UTF-8", hint };
  // Decoding puts U+FFFD where the first bad byte stands.
  const text = bytes.toString("utf8").replace(/^\uFEFF/, "");
  return { code: "not-utf8", message: "the file is not UTF-8 from here", hint, place: offsetPlace(text, text.indexOf("\uFFFD")) };
}
