/**
 * Replaces the lines between the marks `<!-- NAME -->` and `<!-- end -->` of a file. Throws if it has none.
 */
export async function putBetweenMarks(path: string, name: string, lines: readonly string[]): Promise<void> {
  const text = await Bun.file(path).text();
  const mark = `<!-- ${name} -->\n`;
  const begin = text.indexOf(mark) + mark.length;
  const end = text.indexOf("<!-- end -->", begin);
  if (begin < mark.length || end < 0) throw new Error(`Cannot write "${name}": ${path} has no such mark`);
  await Bun.write(path, `${text.slice(0, begin)}${lines.join("\n")}\n${text.slice(end)}`);
}
