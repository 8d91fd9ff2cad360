/** A piece of source on one line and of bearable length, for messages. */
export function excerpt(source: string): string {
  const line = source.replaceAll(/\s+/g, " ").trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
