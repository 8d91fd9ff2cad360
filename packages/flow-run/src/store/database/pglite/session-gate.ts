/**
 * Orders the uses of the one session. Plain statements pass freely and are answered in order; a transaction or a script has the session to itself
 * from its first statement to its last.
 */
export class SessionGate {
  private exclusive: Promise<unknown> = Promise.resolve();
  private held = 0;

  /** Waits for exclusive uses that were asked for earlier. */
  async shared<T>(work: () => Promise<T>): Promise<T> {
    while (this.held > 0) await this.exclusive;
    return work();
  }

  async alone<T>(work: () => Promise<T>): Promise<T> {
    this.held++;
    const before = this.exclusive;
    const mine = before.then(work);
    this.exclusive = mine.then(
      () => this.held--,
      () => this.held--,
    );
    return mine;
  }
}
