import { faultAt } from "../position.ts";
import { quoted } from "../refusal.ts";
import { BLANK, checkName, matchAt, NAME } from "./names.ts";

// Markup other than tags. Each function checks the markup at an offset and returns the offset after it.

const DECLARATION = new RegExp(
  [
    "<\\?xml_+version_*=_*([\"'])1\\.0\\1",
    "(?:_+encoding_*=_*([\"'])([^\"'<>]*)\\2)?",
    "(?:_+standalone_*=_*([\"'])(?:yes|no)\\4)?_*\\?>",
  ]
    .join("")
    .replaceAll("_", BLANK),
  "y",
);
const TARGET = new RegExp(NAME, "uy");

/** Checks the XML declaration, if the document begins with one. XML 1.0, 2.8. Throws "xml". */
export function passDeclaration(text: string): number {
  if (!/^<\?xml[ \t\n?]/.test(text)) return 0;
  const found = matchAt(text, 0, DECLARATION);
  if (found === undefined)
    throw faultAt(text, 0, 'the XML declaration is not <?xml version="1.0" encoding="UTF-8"?>');
  const [all, , , encoding = "UTF-8"] = found;
  if (encoding.toUpperCase() === "UTF-8") return all.length;
  throw faultAt(text, 0, `its encoding is declared as ${quoted(encoding)}, and only UTF-8 is supported`);
}

/** Checks a comment. XML 1.0, 2.5. Throws "xml". */
export function passComment(text: string, from: number): number {
  const end = text.indexOf("--", from + 4);
  if (end !== -1 && text[end + 2] === ">") return end + 3;
  throw faultAt(text, end === -1 ? from : end, 'the comment contains "--", or has no end');
}

/**
 * Checks a processing instruction. XML 1.0, 2.6. Refuses quotes, since fast-xml-parser does not look for "?>"
 * inside quotes. Throws "xml".
 */
export function passInstruction(text: string, from: number): number {
  const [target = ""] = matchAt(text, from + 2, TARGET) ?? [];
  const after = from + 2 + target.length;
  checkTarget(text, from, target);
  const end = text.indexOf("?>", after);
  if (target === "" || end === -1)
    throw faultAt(text, from, "the processing instruction has no name or no end");
  const quote = text.slice(after, end).search(/["']/);
  if (quote === -1) return end + 2;
  throw faultAt(text, after + quote, "a quote in a processing instruction is not supported");
}

function checkTarget(text: string, from: number, target: string): void {
  checkName(text, from + 2, target);
  if (target.toLowerCase() === "xml")
    throw faultAt(text, from, "an XML declaration is allowed only at the very beginning");
  if (target.includes(":")) throw faultAt(text, from, "the name of a processing instruction has a colon");
  const after = from + 2 + target.length;
  if (target !== "" && !/^(?:[ \t\n]|\?>)/.test(text.slice(after, after + 2)))
    throw faultAt(text, after, "the name of a processing instruction must be followed by a blank");
}
