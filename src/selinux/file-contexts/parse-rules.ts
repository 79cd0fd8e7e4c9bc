import { SvirtError } from "../../errors.ts";
import { type FileKind, parseFileKind } from "./file-kind.ts";
import { unescaped } from "./literal-path.ts";
import { patternStems } from "./stems.ts";

/** Text of a policy's file, and its path for errors. */
export interface SpecText {
  readonly text: string;
  readonly path: string;
}

/** Rule of file_contexts. */
export interface FileSpec {
  readonly pattern: string;
  /** The only path of the rule; undefined: it is an expression. */
  readonly literal: string | undefined;
  /** First folders of the rule, as patternStems() returns them. */
  readonly stems: string;
  /** Undefined: for files of all kinds. */
  readonly kind: FileKind | undefined;
  readonly context: string;
  /** Position among all rules: the later of two matching expressions wins. */
  readonly order: number;
}

/**
 * Line with content, no comment. Its first word has up to three plain folders, other plain text, and the rest
 * from the first character of an expression. A single match does it all, because a look-up spends most of its
 * time here, on six thousand lines. Two more fields follow. Blanks are those of isspace(3).
 */
const LINE = new RegExp(
  String.raw`^[ \t\r\v\f]*(?=[^ \t\r\v\f\n#])((?:/(?:PLAIN)+(?=/)){0,3})((?:PLAIN|/)*)([^ \t\r\v\f\n]*)`.replaceAll(
    "PLAIN",
    String.raw`[^ \t\r\v\f\n/\\.^$?*+|[({\])}]|\\[.^$?*+|[({\])}\-_,]`,
  ) + String.raw`(?:[ \t\r\v\f]+([^ \t\r\v\f\n]+))?(?:[ \t\r\v\f]+([^ \t\r\v\f\n]+))?.*$`,
  "gm",
);
const ASCII = /^[\x21-\x7e]+$/;

/** Parses the rules of several files, in their order. Throws "failed" for a line refused by libselinux. */
export function parseFileSpecs(sources: readonly SpecText[]): FileSpec[] {
  const specs: FileSpec[] = [];
  for (const { path, text } of sources) {
    LINE.lastIndex = 0;
    for (let line = LINE.exec(text); line !== null; line = LINE.exec(text)) {
      specs.push(parseLine(line, path, specs.length));
    }
  }
  return specs;
}

function parseLine(line: RegExpExecArray, path: string, order: number): FileSpec {
  const [whole, folders = "", plain = "", rest = ""] = line;
  const pattern = folders + plain + rest;
  // Double slashes and a first character other than a slash are rare, and take the slow path.
  const isUsual = pattern.startsWith("/") && !pattern.includes("//");
  const stems = isUsual ? unescaped(folders.slice(1)) : patternStems(pattern);
  const literal = rest === "" ? unescaped(pattern) : undefined;
  const meaning = parseMeaning(line[4], line[5]);
  if (meaning === undefined || !ASCII.test(pattern)) throw badLine(path, whole);
  return { pattern, literal, stems, ...meaning, order };
}

/** Parses the rest of a line: a context, or a kind of file and a context. */
function parseMeaning(
  second: string | undefined,
  third: string | undefined,
): Pick<FileSpec, "kind" | "context"> | undefined {
  const context = third ?? second;
  if (context === undefined || !ASCII.test(context)) return undefined;
  if (third === undefined) return { kind: undefined, context };
  const kind = parseFileKind(second ?? "");
  return kind === undefined ? undefined : { kind, context };
}

function badLine(path: string, line: string): SvirtError {
  return new SvirtError(
    `Cannot read ${path}: it has the line "${line.trim().slice(0, 80)}", not PATTERN [TYPE] CONTEXT`,
    { kind: "failed", remedy: "Correct that line, or write the rule with semanage fcontext." },
  );
}
