// A process that holds an embedded database, for tests that need a real one. Arguments: directory, template. Talks in lines on stdout:
// `open`, then `ack N` for each committed row while it writes. Commands on stdin: `write`, `close`. Signals are noted and change nothing.
import readline from "node:readline";
import { openPglite } from "../../src/store/database/index.ts";

const [directory, templateFile] = process.argv.slice(2);
if (!directory || !templateFile) throw new Error("usage: embedded-holder DIRECTORY TEMPLATE");
const say = (line: string) => process.stdout.write(`${line}\n`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => say(signal));

const database = await openPglite({
  directory,
  templateFile,
  onFatal: (error) => {
    say(`fatal ${error.message}`);
    process.exit(70);
  },
});
await database.exec("CREATE TABLE IF NOT EXISTS kept (id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, writer int, filler text)");
say("open");

let writing = false;
async function write(): Promise<void> {
  while (writing) {
    const rows = await Promise.all(
      Array.from({ length: 4 }, () =>
        database.batch([["INSERT INTO kept (writer, filler) VALUES ($1, repeat('x', 500)) RETURNING id", [process.pid]]]),
      ),
    );
    for (const [inserted] of rows) say(`ack ${inserted?.[0]?.id}`);
  }
}

for await (const command of readline.createInterface({ input: process.stdin })) {
  if (command === "write") {
    writing = true;
    void write();
  }
  if (command === "close") {
    writing = false;
    await database.close();
    say("closed");
    process.exit(0);
  }
}
