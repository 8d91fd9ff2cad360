import { LONGEST_MESSAGE_BYTES } from "../../store/index.ts";

/**
 * What processes tell all others about runs that they watch. `watch`: begin, or tell the text so far again; `keep`: go on, if you know of it; `unwatch`: stop.
 * `who-watches`: I have just come and know of nobody.
 */
export type Call = { word: "watch" | "keep" | "unwatch"; runIds: readonly string[] } | { word: "who-watches" };

/** Room for the name of the sender and the words before. */
const IDS_BYTES = LONGEST_MESSAGE_BYTES - 200;

export function writeCalls(word: "watch" | "keep" | "unwatch", runIds: Iterable<string>): string[] {
  const calls: string[] = [];
  let call = "";
  for (const id of runIds) {
    if (call.length + id.length > IDS_BYTES) {
      calls.push(call);
      call = "";
    }
    call = call === "" ? `${word} ${id}` : `${call} ${id}`;
  }
  if (call !== "") calls.push(call);
  return calls;
}

/** null: said by a process of another version. */
export function readCall(message: string): Call | null {
  const [word, ...runIds] = message.split(" ");
  if (word === "who-watches") return { word };
  return word === "watch" || word === "keep" || word === "unwatch" ? { word, runIds } : null;
}
