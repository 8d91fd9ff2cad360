/** No value could be found within bounds. Internal to this folder: caught where there is another way, or where the answer is given up. */
export class NoValueError extends Error {
  /** Other draws would end the same. */
  readonly isFinal: boolean;

  constructor(message: string, isFinal = false) {
    super(message);
    this.isFinal = isFinal;
  }
}
