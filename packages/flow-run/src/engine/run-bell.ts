/** How the outside tells a run that is under way to look at its waits again. */
export interface RunBell {
  /** Set by the execution. */
  onRing?: () => void;
}
