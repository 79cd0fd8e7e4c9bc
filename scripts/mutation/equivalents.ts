import { readFileSync } from "node:fs";
import type { Mutant } from "./mutants.ts";

/** Change that leaves the program equivalent, with the reason. */
interface Equivalent {
  readonly file: string;
  /** Line of the source in which the change begins, because a short text may occur in many lines. */
  readonly line: string;
  readonly original: string;
  readonly replacement: string;
  readonly reason: string;
}

const FILE = new URL("equivalent.txt", import.meta.url);

/**
 * Reads equivalent.txt, a paragraph for each change: `FILE`, its line, the text before, the text after, and
 * the reason.
 */
export function readEquivalents(): readonly Equivalent[] {
  const lines = readFileSync(FILE, "utf8")
    .split("\n")
    .filter((line) => !line.startsWith("#"));
  return lines
    .join("\n")
    .split(/\n\n+/)
    .filter((paragraph) => paragraph.trim() !== "")
    .map((paragraph) => {
      const [file = "", line = "", original = "", replacement = "", ...reason] = paragraph.trim().split("\n");
      if (reason.length === 0) throw new Error(`Cannot read ${FILE.pathname}: "${file}" has no reason`);
      const after = replacement === "(nothing)" ? "" : replacement;
      return { file, line, original, replacement: after, reason: reason.join(" ") };
    });
}

/** Reports whether a change is known; blanks count as one. */
export function isEquivalent(known: readonly Equivalent[], mutant: Mutant): boolean {
  const source = readFileSync(mutant.file, "utf8").split("\n")[mutant.line - 1] ?? "";
  const flat = (text: string): string => text.replace(/\s+/g, " ").trim();
  return known.some(
    ({ file, line, original, replacement }) =>
      file === mutant.file &&
      flat(line) === flat(source) &&
      flat(original) === flat(mutant.original) &&
      flat(replacement) === flat(mutant.replacement),
  );
}
