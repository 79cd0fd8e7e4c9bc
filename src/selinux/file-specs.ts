import { SvirtError } from "../errors.ts";
import { type FileKind, parseFileKind } from "./file-kind.ts";

/** One of a policy's files: its text, and its name for errors. */
export interface SpecText {
  readonly text: string;
  readonly path: string;
}

/** One rule of file_contexts. */
export interface FileSpec {
  readonly pattern: string;
  /** Undefined: for files of all kinds. */
  readonly kind: FileKind | undefined;
  readonly context: string;
  /** Where it stands among all rules: of two expressions that match the later one wins. */
  readonly order: number;
}

/** A line with something on it that is no comment: its words, as far as they are read. Blanks are those of isspace(3). */
const LINE =
  /^[ \t\r\v\f]*([^ \t\r\v\f\n#][^ \t\r\v\f\n]*)(?:[ \t\r\v\f]+([^ \t\r\v\f\n]+))?(?:[ \t\r\v\f]+([^ \t\r\v\f\n]+))?.*$/gm;
const ASCII = /^[\x21-\x7e]+$/;

/** The rules of several files, in their order. Throws "failed" for a line that libselinux refuses. */
export function parseFileSpecs(sources: readonly SpecText[]): readonly FileSpec[] {
  const specs: FileSpec[] = [];
  for (const { path, text } of sources) {
    for (const words of text.matchAll(LINE)) specs.push({ ...parseLine(words, path), order: specs.length });
  }
  return specs;
}

function parseLine(words: readonly string[], path: string): Omit<FileSpec, "order"> {
  const [line = "", pattern = "", second, third] = words;
  const context = third ?? second;
  const kind = third === undefined ? undefined : parseFileKind(second ?? "");
  const isPlain = ASCII.test(pattern) && context !== undefined && ASCII.test(context);
  if (!isPlain || (third !== undefined && kind === undefined)) throw badLine(path, line);
  return { pattern, kind, context };
}

function badLine(path: string, line: string): SvirtError {
  return new SvirtError(
    `Cannot read ${path}: it has the line "${line.trim().slice(0, 80)}", not PATTERN [TYPE] CONTEXT`,
    { kind: "failed", remedy: "Mend that line; semanage fcontext writes such files rightly." },
  );
}
