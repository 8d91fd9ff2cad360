/**
 * What the parser of arguments says, as this program says things: a capital, a full stop, and how to go on.
 * `usage` is the usage line of the command that was meant.
 */
export function usageMessage(said: string, usage: string): string {
  const [first = "", ...rest] = said.replace(/^error: /, "").split("\n");
  const sentence = first.charAt(0).toUpperCase() + first.slice(1);
  const near = rest.map((line) => line.replace(/^\((.*)\)$/, "$1")).join(" ");
  const full = /[.?!]$/.test(sentence) ? sentence : `${sentence}.`;
  const command = usage.replace(/ (\[|<).*$/, "");
  return `${[full, near].filter(Boolean).join(" ")}\nUsage: ${usage}   (${command} --help says more)`;
}
