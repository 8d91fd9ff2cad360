import pg from "pg";

const INT8 = 20;
const INT8_ARRAY = 1016;
const DATE = 1082;

function int8(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

const keep = (text: string): string => text;

const parseTextArray = (pg.types.getTypeParser as (oid: number) => unknown)(1009) as (text: string) => string[];

/** How column values become JavaScript values, the same on both adapters. */
export const valueTypes = {
  getTypeParser(oid: number, format?: "text" | "binary"): (value: string) => unknown {
    if (format === "binary") return pg.types.getTypeParser(oid, format) as (value: string) => unknown;
    if (oid === INT8) return int8;
    if (oid === INT8_ARRAY) return (text) => parseTextArray(text).map(int8);
    if (oid === DATE) return keep; // a Date would move it by the process's time zone
    return pg.types.getTypeParser(oid) as (value: string) => unknown;
  },
};
