/** What a command returns to the shell. */
export const EXIT = {
  fine: 0,
  /** The thing asked about failed: a run, a test, a gate. */
  failed: 1,
  /** The command or the project is wrong, or the server cannot be reached. */
  wrong: 2,
  /** Another process holds the embedded database (EX_TEMPFAIL). */
  busy: 75,
} as const;
