import type { Feedback } from "@flow-run/spec";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";
import { feedbackView } from "../views/feedback.ts";

interface Options extends CommonOptions {
  env: string;
  comment?: string;
  step?: string;
  author?: string;
}

/** Gives feedback to a run, or lists what it has. */
export async function runsFeedback(
  { terminal, options }: { terminal: Terminal; options: Options },
  id: string,
  given: string | undefined,
): Promise<number> {
  const { comment, step, author } = options;
  const judgement = given === undefined ? null : readJudgement(given);
  if (judgement === null && (comment ?? step ?? author) !== undefined) {
    throw new CommandError(
      "--comment, --step and --author go with a judgement. Write for example: runs feedback RUN correct=true --comment TEXT",
    );
  }
  const client = await connect(options.env, options.project);
  if (judgement === null) {
    const feedback = await client.feedback(id);
    if (options.json) terminal.json({ feedback });
    else terminal.out(feedback.length === 0 ? `Nobody has said what ${id} is worth.\n` : `${feedbackView(feedback, terminal)}\n`);
    return EXIT.fine;
  }
  const feedback = await client.giveFeedback(id, { ...judgement, comment, step, author });
  if (options.json) terminal.json(feedback);
  else terminal.out(`${feedbackView([feedback], terminal)}\n`);
  return EXIT.fine;
}

function readJudgement(pair: string): Pick<Feedback, "name" | "value"> {
  const at = pair.indexOf("=");
  if (at <= 0) throw new CommandError(`"${pair}" is not name=value. Write for example correct=true or score=0.8.`);
  return { name: pair.slice(0, at), value: readValue(pair.slice(at + 1)) };
}

function readValue(text: string): Feedback["value"] {
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text);
  return text.trim() !== "" && Number.isFinite(number) ? number : text;
}
