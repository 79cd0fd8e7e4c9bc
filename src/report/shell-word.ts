/** Arguments without a meaning to a shell. POSIX.1-2024, Shell Command Language, 2.2 Quoting */
const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** Quotes an argument if a shell would interpret it. */
export function shellWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
