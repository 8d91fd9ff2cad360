/** JSON Pointer (RFC 6901) of a path of keys and indexes; the empty text is the whole document. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path
    .map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1").toWellFormed().replaceAll("\u0000", "\ufffd")}`)
    .join("");
}
