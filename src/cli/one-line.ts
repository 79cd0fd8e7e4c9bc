/** An error, a path or a name is one line, moves no cursor and turns no letters round, whatever words came from outside. */
export function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ").replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
}
