/** One server-sent event. */
export interface ServerSentEvent {
  id: string | null;
  event: string;
  data: string;
}

/** Splits the text of an event stream, however it was cut into pieces, into its events (WHATWG HTML §9.2.6). Comments and empty events are skipped. */
export class EventParser {
  private rest = "";
  private id: string | null = null;
  private event = "";
  private data: string[] = [];

  push(text: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    this.rest += text;
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this.rest);
      if (end === null) return events;
      const event = this.line(this.rest.slice(0, end.index));
      this.rest = this.rest.slice(end.index + end[0].length);
      if (event !== null) events.push(event);
    }
  }

  private line(line: string): ServerSentEvent | null {
    if (line === "") return this.dispatch();
    if (line.startsWith(":")) return null;
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    else if (field === "event") this.event = value;
    else if (field === "id") this.id = value;
    return null;
  }

  private dispatch(): ServerSentEvent | null {
    const event = { id: this.id, event: this.event || "message", data: this.data.join("\n") };
    this.id = null;
    this.event = "";
    this.data = [];
    return event.data === "" ? null : event;
  }
}
