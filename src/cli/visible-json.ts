/**
 * Characters that a terminal may obey, invisible characters, and separators of lines. JSON and XML can write
 * each of them as an escape.
 */
export const STRANGE = /[\p{Cf}\p{Zl}\p{Zp}\u007f-\u009f]/gu;
/**
 * Matches text that needs no further look: most of it, so that `svirt list` compiles one short expression
 * only.
 */
export const PLAIN = /^[\t\n -~]*$/;

/**
 * Returns JSON in which each character is visible: others are escapes, which a parser reads as these
 * characters.
 */
export function visibleJson(json: string): string {
  return PLAIN.test(json) ? json : json.replace(STRANGE, escapeUnits);
}

/** Returns a piece of JSON in UTF-8 as visibleJson() does. Long pieces of ASCII are not decoded. */
export function visibleJsonBytes(json: Uint8Array): Uint8Array {
  if (isAscii(json)) return json;
  return new TextEncoder().encode(visibleJson(new TextDecoder().decode(json)));
}

function escapeUnits(letter: string): string {
  return Array.from(
    { length: letter.length },
    (_, at) => `\\u${letter.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");
}

/** Whether all bytes are ASCII and none is DEL. */
function isAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += 1) if ((bytes[at] ?? 0) >= 0x7f) return false;
  return true;
}
