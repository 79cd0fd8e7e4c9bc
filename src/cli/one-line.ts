/** An error, a path or a name is one line and moves no cursor, whatever words came from outside. */
export function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ").replace(/\p{Cc}/gu, "?");
}
