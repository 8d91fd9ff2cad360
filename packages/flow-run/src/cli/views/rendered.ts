import type { RenderedPrompt } from "../render-prompt.ts";
import { printable, type Terminal } from "../terminal.ts";

/** Data URLs are as long as the media in them. */
const LONGEST_URL = 120;

/** A prompt's messages as its author wrote them, then the request. */
export function renderedView(
  { model, messages, request }: Omit<RenderedPrompt, "model"> & { model: string | null },
  terminal: Terminal,
): string {
  const { style } = terminal;
  const blocks = messages.map((message) => {
    const parts = message.content.map((part) => {
      if ("text" in part) return printable(part.text);
      const { url, contentType } = part.media;
      const shown = url.length > LONGEST_URL ? `${url.slice(0, LONGEST_URL)}… (${url.length} characters)` : url;
      return style("dim", `[media ${printable([contentType, shown].filter(Boolean).join(" "))}]`);
    });
    return `${style(["bold", "cyan"], message.role)}\n${parts.join("")}\n`;
  });
  const to = style("dim", `request${model ? ` to ${printable(model)}` : ""}, not sent`);
  const sent = request
    ? `${request.method} ${printable(request.url)}\n${printable(JSON.stringify(request.body, null, 2))}`
    : "answered in this process by the simulator";
  return `${blocks.join("\n")}\n${to}\n${sent}\n`;
}
