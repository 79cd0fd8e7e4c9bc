/**
 * Returns a text in a single line without characters for the cursor or the text direction. Errors, paths and
 * names may contain text from outside. Bytes of a name outside UTF-8, lone surrogates within svirt, are shown
 * as `\xff`.
 */
export function oneLine(text: string): string {
  return text
    .replace(/\s*[\r\n]+\s*/g, " ")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?")
    .replace(/[\udc80-\udcff]/gu, (byte) => `\\x${(byte.charCodeAt(0) - 0xdc00).toString(16)}`);
}
