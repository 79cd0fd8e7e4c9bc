/** What a shell takes as it stands. POSIX.1-2024, Shell Command Language, 2.2 Quoting */
const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** A command for a shell, one option with its value a line, as virsh prints it. virCommandToString() of libvirt */
export function formatShellCommand(words: readonly string[]): string {
  return words.map((word, index) => `${separator(word, index)}${quote(word)}`).join("");
}

function separator(word: string, index: number): string {
  if (index === 0) return "";
  return word.startsWith("-") ? " \\\n" : " ";
}

function quote(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
