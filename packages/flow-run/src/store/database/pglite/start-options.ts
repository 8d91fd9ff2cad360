import { PGlite } from "@electric-sql/pglite";

/** How the embedded server is started: with real fsync, and with as little memory and WAL as its load needs. */
export const START_PARAMS: string[] = [
  ...PGlite.defaultStartParams.filter((param) => param !== "-F"),
  ...Object.entries({
    fsync: "on",
    wal_sync_method: "fsync", // fdatasync does nothing in PGlite
    shared_buffers: "16MB",
    max_wal_size: "64MB",
    min_wal_size: "32MB",
    timezone: "UTC",
    seq_page_cost: "0.02", // rows cost; with pages as dear as they are by default, all indexes of a table look alike while it is small
    random_page_cost: "0.02",
    enable_seqscan: "off", // a plan made while a table was still empty would read all of it for ever after
  }).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
];

/** Small WAL segments make a new directory 15 MB instead of 40. */
export const INITDB_PARAMS = ["--wal-segsize=1", "--no-locale", "--encoding=UTF8"];
