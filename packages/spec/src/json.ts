/** Any value that JSON can hold. Numbers are finite doubles. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type JsonObject = { [key: string]: Json };

/** A JSON Schema (2020-12 unless `$schema` says otherwise); `true` and `{}` accept anything. */
export type JsonSchema = boolean | { [keyword: string]: Json };
