import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;
const FORM = "v1.";

/** Encrypts short texts for the database with AES-256-GCM under keys that the operator holds. */
export class SecretBox {
  private readonly keys: readonly Buffer[];

  /** Seals with a key derived (HKDF-SHA256) from the first of `materials`, opens with any of them. `purpose` separates it from other uses of the same material. */
  constructor(materials: readonly string[], purpose: string) {
    this.keys = materials.map((material) => Buffer.from(hkdfSync("sha256", material, "flow-run", purpose, 32)));
  }

  /** Whether there is anything to seal with. */
  get hasKey(): boolean {
    return this.keys.length > 0;
  }

  /** `name` is bound to the text: under another name it does not open. */
  seal(text: string, name: string): string {
    const [key] = this.keys;
    if (key === undefined) throw new Error("No key to seal with: ask hasKey before.");
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(name));
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return FORM + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64url");
  }

  /** null when it was sealed with another key, under another name, or was changed. */
  open(sealed: string, name: string): string | null {
    if (!sealed.startsWith(FORM)) return null;
    const bytes = Buffer.from(sealed.slice(FORM.length), "base64url");
    if (bytes.length < IV_BYTES + TAG_BYTES) return null;
    for (const key of this.keys) {
      try {
        const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
          .setAAD(Buffer.from(name))
          .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
        return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
      } catch {
        // another key
      }
    }
    return null;
  }
}
