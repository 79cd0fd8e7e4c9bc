/** What a shell takes as it stands. POSIX.1-2024, Shell Command Language, 2.2 Quoting */
const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** A word of a command that is to be pasted into a shell, quoted where it must be. */
export function shellWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
