/** Values of the last texts; the oldest gives way to a new one. */
export class LastTexts<Value> {
  readonly #values = new Map<string, Value>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(text: string): Value | undefined {
    return this.#values.get(text);
  }

  set(text: string, value: Value): void {
    this.#values.delete(text);
    const [oldest] = this.#values.size < this.#most ? [] : this.#values.keys();
    if (oldest !== undefined) this.#values.delete(oldest);
    this.#values.set(text, value);
  }
}

/**
 * Returns a function that reads a text as `read` does. For each of the last `most` texts it returns the same
 * result again, which must stay unchanged. Throws the errors of `read`.
 */
export function keepLast<Result extends object>(
  read: (text: string) => Result,
  most: number,
): (text: string) => Result {
  const results = new LastTexts<Result>(most);
  return (text) => {
    const known = results.get(text);
    if (known !== undefined) return known;
    const result = read(text);
    results.set(text, result);
    return result;
  };
}
