import type { RenderedPrompt } from "../render-prompt.ts";
import { printable, type Terminal } from "../terminal.ts";

/** Data URLs are as long as the media in them. */
const LONGEST_URL = 120;

/** A prompt's messages as its author wrote them, then the request. `inProject` is false for a file outside of any. */
export function renderedView(
  { model, messages, request }: Omit<RenderedPrompt, "model"> & { model: string | null },
  inProject: boolean,
  terminal: Terminal,
): string {
  const { style } = terminal;
  const blocks = messages.map((message) => {
    const parts = message.content.map((part) => {
      if ("text" in part) return printable(part.text);
      if (!("media" in part)) return style("dim", `[section ${printable(part.metadata.purpose)}]`);
      const { url, contentType } = part.media;
      const shown = url.length > LONGEST_URL ? `${url.slice(0, LONGEST_URL)}… (${url.length} characters)` : url;
      return style("dim", `[media ${printable([contentType, shown].filter(Boolean).join(" "))}]`);
    });
    return `${style(["bold", "cyan"], message.role)}\n${parts.join("").replace(/\n$/, "")}\n`;
  });
  return `${blocks.join("\n")}\n${requestView(model, request, inProject, terminal)}\n`;
}

function requestView(model: string | null, request: RenderedPrompt["request"], inProject: boolean, { style }: Terminal): string {
  const to = model === null ? "" : ` to ${printable(model)}`;
  if (request === null) {
    return style(
      "dim",
      inProject ? `no request${to}: the simulator answers in this process` : `no request${to}: only a project says what that is`,
    );
  }
  const head = style("dim", `request${to}, not sent`);
  return `${head}\n${request.method} ${printable(request.url)}\n${printable(JSON.stringify(request.body, null, 2))}`;
}
