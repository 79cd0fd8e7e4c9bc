import { readFileSync } from "node:fs";
import { SvirtError } from "../../errors.ts";

/** What bun puts where bytes are no UTF-8; it may also stand in a name. */
const REPLACEMENT = "\ufffd";
const BYTES_SHOWN = 60;

/**
 * Why the words that svirt was started with cannot be taken: bun gives them as text, and a file's name may be bytes that are
 * none. Undefined: they can. proc_pid_cmdline(5)
 */
export function findFaultOfWords(words: readonly string[]): SvirtError | undefined {
  if (!words.some((word) => word.includes(REPLACEMENT))) return undefined;
  const bytes = readFileSync("/proc/self/cmdline").toString("latin1").split("\0").slice(0, -1);
  const wrong = bytes.slice(-words.length).find((word) => !isText(word));
  if (wrong === undefined) return undefined;
  const shown = wrong.slice(0, BYTES_SHOWN).replaceAll(/[^ -~]/g, escapeByte);
  return new SvirtError(`Cannot take the word ${shown}: it is not UTF-8`, {
    kind: "usage",
    remedy: "Give the file a name in UTF-8: mv FILE NAME",
  });
}

function isText(letters: string): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(letters, "latin1"));
    return true;
  } catch {
    return false;
  }
}

function escapeByte(letter: string): string {
  return `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
