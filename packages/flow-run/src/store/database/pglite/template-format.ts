import zlib from "node:zlib";

/** What a template was made for. One that differs in any of these is not used. */
export interface TemplateKey {
  pglite: string;
  postgresMajor: string;
}

export interface TemplateFile {
  /** Relative, with forward slashes. */
  path: string;
  bytes: Uint8Array;
}

/** A data directory. `schema` names what the database in it was migrated to. */
export interface Template {
  schema: string;
  directories: string[];
  files: TemplateFile[];
}

interface Index extends TemplateKey {
  schema: string;
  directories: string[];
  files: [path: string, size: number][];
}

/** A data directory as one compressed file: the length of the index, the index as JSON, the files' bytes one after the other. */
export function packTemplate(key: TemplateKey, schema: string, directories: string[], files: TemplateFile[]): Buffer {
  const index: Index = { ...key, schema, directories, files: files.map(({ path, bytes }) => [path, bytes.length]) };
  const head = Buffer.from(JSON.stringify(index));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  return zlib.brotliCompressSync(Buffer.concat([length, head, ...files.map(({ bytes }) => bytes)]), {
    params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 9, [zlib.constants.BROTLI_PARAM_LGWIN]: 24 },
  });
}

/** Null when it is no template, or one for something else. */
export function readTemplate(packed: Uint8Array, key: TemplateKey): Template | null {
  let bytes: Buffer;
  let index: Index;
  let at: number;
  try {
    bytes = zlib.brotliDecompressSync(packed);
    at = 4 + bytes.readUInt32LE(0);
    index = JSON.parse(bytes.toString("utf8", 4, at)) as Index;
  } catch {
    return null;
  }
  if (index.pglite !== key.pglite || index.postgresMajor !== key.postgresMajor) return null;
  const files = index.files.map(([path, size]) => {
    const file = { path, bytes: bytes.subarray(at, at + size) };
    at += size;
    return file;
  });
  return { schema: index.schema, directories: index.directories, files };
}
