import { SvirtError } from "../errors.ts";
import { MOST_BYTES } from "./limits.ts";
import { positionAt } from "./position.ts";
import { notXml, type Position } from "./refusal.ts";

/**
 * Returns the text of a document without its byte order mark, with newlines as XML 1.0, 2.11 requires. The
 * document must be UTF-8. Throws "xml".
 */
export function decodeDocument(bytes: Uint8Array): string {
  if (bytes.length > MOST_BYTES) {
    throw new SvirtError(
      `Cannot read the XML: it has more than ${MOST_BYTES} bytes, the most that a document may have`,
      { kind: "xml", remedy: "Give svirt the definition of one domain, not an image or a log." },
    );
  }
  if (isWide(bytes)) throw notXml(START, "it is UTF-16 or UTF-32, and only UTF-8 is supported");
  const text = decodeUtf8(bytes);
  refuseForbiddenCharacter(text);
  return text.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
}

const START = { line: 1, column: 1 };

// XML 1.0, appendix F: a byte order mark, or a `<` as two or four bytes.
function isWide([first, second, third, fourth]: Uint8Array): boolean {
  if ((first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe)) return true;
  const zeros = [first, second, third, fourth].filter((byte) => byte === 0).length;
  return zeros > 0 && [first, second, third, fourth].includes(0x3c);
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw notXml(firstBadPosition(bytes), "it has bytes that are not UTF-8", cause);
  }
}

// A streaming decoder throws as soon as no valid text continues its input: bisect to the shortest refused
// prefix.
function firstBadPosition(bytes: Uint8Array): Position {
  let [good, bad] = [0, bytes.length + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (canGoOn(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  const before = new TextDecoder("utf-8").decode(bytes.subarray(0, good), { stream: true });
  return positionAt(before, before.length);
}

function canGoOn(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

// Refuses characters outside XML 1.0, 2.2. UTF-8 cannot encode lone surrogates.
function refuseForbiddenCharacter(text: string): void {
  const offset = text.search(/[^\t\n\r -\ufffd]/);
  if (offset === -1) return;
  const code = text.charCodeAt(offset).toString(16).toUpperCase().padStart(4, "0");
  throw notXml(positionAt(text, offset), `the character U+${code} is not allowed in XML`);
}
