import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";

const BLOCK = 512;

const field = (header: Buffer, start: number, length: number) => header.toString("utf8", start, start + length).replace(/\0.*$/s, "");

/** Writes a data directory from a brotli-compressed tar of plain files and directories. Returns false, having written nothing, when it cannot be read. */
export function unpackTemplate(templateFile: string, directory: string): boolean {
  let tar: Buffer;
  try {
    tar = zlib.brotliDecompressSync(fs.readFileSync(templateFile));
  } catch {
    return false;
  }
  const made = new Set<string>();
  const make = (dir: string) => {
    if (!made.has(dir)) fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    made.add(dir);
  };
  for (let at = 0; at + BLOCK <= tar.length; ) {
    const header = tar.subarray(at, at + BLOCK);
    const name = path.join(field(header, 345, 155), field(header, 0, 100));
    if (name === ".") break; // an empty header ends the archive
    const size = Number.parseInt(field(header, 124, 12), 8) || 0;
    const target = path.join(directory, name);
    if (!target.startsWith(directory)) return false;
    if (header[156] === "5".charCodeAt(0)) make(target);
    else {
      make(path.dirname(target));
      fs.writeFileSync(target, tar.subarray(at + BLOCK, at + BLOCK + size), { mode: 0o600 });
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return true;
}
