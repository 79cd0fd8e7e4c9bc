import { shellWord } from "../../report/shell-word.ts";

/**
 * Formats a command for a shell, each option with its value on a separate line, as virsh prints it.
 * virCommandToString() of libvirt
 */
export function formatShellCommand(words: readonly string[]): string {
  return words.map((word, index) => `${separator(word, index)}${shellWord(word)}`).join("");
}

function separator(word: string, index: number): string {
  if (index === 0) return "";
  return word.startsWith("-") ? " \\\n" : " ";
}
