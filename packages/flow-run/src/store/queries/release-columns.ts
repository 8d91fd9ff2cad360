import type { ReleaseRow } from "../store.ts";

/** Columns of a release `l` of an environment `e` that `toReleaseRow` reads. */
export const RELEASE_COLUMNS =
  "l.environment, l.number, l.hash, l.author, l.message, l.commit, l.created_at, e.current_release IS NOT DISTINCT FROM l.number AS current";

export interface ReleaseColumns {
  environment: string;
  number: number;
  hash: string;
  author: string | null;
  message: string | null;
  commit: string | null;
  created_at: Date;
  current: boolean;
}

export function toReleaseRow({ created_at, ...row }: ReleaseColumns): ReleaseRow {
  return { ...row, createdAt: created_at.toISOString() };
}
