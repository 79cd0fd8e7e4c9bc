import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { FileKind } from "../../../src/selinux/file-contexts/file-kind.ts";
import type { FileContextsTexts } from "../../../src/selinux/file-contexts/look-up.ts";

/** Path of libselinux's own tool, the reference for default labels. Null if it is missing. */
export const matchpathcon = Bun.which("matchpathcon");

/** Suffix for the name of a skipped test. */
export const needsMatchpathcon =
  matchpathcon === null ? " (skipped: matchpathcon is missing, install selinux-utils)" : "";

const LETTERS: Readonly<Record<FileKind, string>> = {
  file: "f",
  folder: "d",
  character: "c",
  block: "b",
  fifo: "p",
  symlink: "l",
  socket: "s",
};

/** Every kind that the tool knows. */
export const KINDS: readonly FileKind[] = [
  "file",
  "folder",
  "character",
  "block",
  "fifo",
  "symlink",
  "socket",
];

const AT_ONCE = 1000;

/** Runs the tool with rules in a new temporary folder, without the compiled form that it prefers. */
export class Matchpathcon implements Disposable {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "svirt-contexts-"));

  constructor(texts: FileContextsTexts) {
    const files = [
      ["", texts.base.text],
      [".homedirs", texts.homedirs?.text],
      [".local", texts.local?.text],
      [".subs", texts.subs],
      [".subs_dist", texts.subsDist],
    ] as const;
    for (const [suffix, text] of files) {
      if (text !== undefined) writeFileSync(`${this.#base}${suffix}`, text);
    }
  }

  /** Compiles the rules. libselinux then reads that form. */
  compile(): void {
    for (const suffix of ["", ".homedirs", ".local"]) {
      if (existsSync(`${this.#base}${suffix}`)) this.#run(["sefcontext_compile", `${this.#base}${suffix}`]);
    }
  }

  /** Reports whether a path has a context, or undefined if the tool cannot read the rules. */
  knows(path: string): boolean | undefined {
    const words = [matchpathcon ?? "", "-nN", "-m", "f", "-f", this.#base, "--", path];
    const { exitCode, stdout } = Bun.spawnSync(words);
    return exitCode === 0 ? stdout.toString() !== "<<none>>\n" : undefined;
  }

  /** Returns the context of each path, or undefined if the rules give it none. */
  lookUp(paths: readonly string[], kind: FileKind): (string | undefined)[] {
    const found: (string | undefined)[] = [];
    for (let at = 0; at < paths.length; at += AT_ONCE) {
      const some = paths.slice(at, at + AT_ONCE);
      const words = [matchpathcon ?? "", "-nN", "-m", LETTERS[kind], "-f", this.#base, "--", ...some];
      const lines = this.#run(words).trimEnd().split("\n");
      if (lines.length !== some.length)
        throw new Error(`matchpathcon gave ${lines.length} answers to ${some.length} paths`);
      found.push(...lines.map((line) => (line === "<<none>>" ? undefined : line)));
    }
    return found;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }

  #run(words: string[]): string {
    const { exitCode, stderr, stdout } = Bun.spawnSync(words);
    if (exitCode !== 0) throw new Error(`${words[0]} failed: ${stderr}`);
    return stdout.toString();
  }

  get #base(): string {
    return `${this.#folder}/file_contexts`;
  }
}
