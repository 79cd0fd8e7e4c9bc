/**
 * Returns a function that reads a text as `read` does. For each of the last `most` texts it returns the same
 * result again, which must stay unchanged. Throws the errors of `read`.
 */
export function keepLast<Result extends object>(
  read: (text: string) => Result,
  most: number,
): (text: string) => Result {
  const results = new Map<string, Result>();
  return (text) => {
    const known = results.get(text);
    if (known !== undefined) return known;
    const result = read(text);
    const [oldest] = results.size < most ? [] : results.keys();
    if (oldest !== undefined) results.delete(oldest);
    results.set(text, result);
    return result;
  };
}
