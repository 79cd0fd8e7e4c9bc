import type { Output } from "./command.ts";
import { PLAIN, STRANGE } from "./visible-json.ts";

// Rule: A text moves no cursor and changes no state of a terminal.

/**
 * All control characters except tabulator and newline, and characters that reverse text or end a line.
 * Joiners of letters pass, and a carriage return before a newline: QEMU's human monitor ends lines so.
 */
const COMMANDS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal obeys them, so they are searched for.
  /\r(?!\n)|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Returns an output whose texts move no cursor, change no state of a terminal and reverse no text, whatever a
 * guest or a file has put into them. XML, which begins with `<`, keeps its meaning, as does JSON by
 * visibleJson(). Bytes are data, and pass unchanged.
 */
export function forTerminal(output: Output): Output {
  return {
    print: (text) => output.print(visibleText(text)),
    printBytes: (bytes) => output.printBytes(bytes),
    printSoon: async (text) => await output.printSoon(visibleText(text)),
    // Progress begins with a carriage return.
    warn: (text) =>
      output.warn(text.startsWith("\r") ? `\r${visibleText(text.slice(1))}` : visibleText(text)),
  };
}

function visibleText(text: string): string {
  if (PLAIN.test(text)) return text;
  const kept = text.startsWith("<") ? text.replace(STRANGE, (letter) => `&#${letter.codePointAt(0)};`) : text;
  return kept.replace(COMMANDS, "?");
}
