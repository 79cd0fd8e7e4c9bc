/** Time after a failed look until the next. */
const RETRY_MS = 1000;

/** Ends a wait, also a later wait, until reset() is called. */
export class WakeUp {
  readonly #sleep: (ms: number) => Promise<void>;
  #due = Promise.withResolvers<void>();
  #isDue = false;
  #isLater = false;

  constructor(sleep: (ms: number) => Promise<void>) {
    this.#sleep = sleep;
  }

  readonly now = (): void => {
    this.#isDue = true;
    this.#due.resolve();
  };

  /** Ends a wait after a second. Further calls until then change nothing. */
  later(): void {
    if (this.#isLater) return;
    this.#isLater = true;
    void this.#sleep(RETRY_MS).then(() => {
      this.#isLater = false;
      this.now();
    });
  }

  /** Returns once it is time. */
  async wait(): Promise<void> {
    await this.#due.promise;
  }

  /** Makes a new wait last. A wait under way still ends at the next time. */
  reset(): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    this.#due = Promise.withResolvers();
  }
}
