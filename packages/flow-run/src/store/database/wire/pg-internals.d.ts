// What the driver keeps to itself but a query that sends its own messages needs. Checked by wire/batch.test.ts.
declare module "pg/lib/utils.js" {
  const utils: { prepareValue(value: unknown): string | Buffer | null };
  export default utils;
}
