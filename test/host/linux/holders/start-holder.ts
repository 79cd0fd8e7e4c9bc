/** Starts a process that holds a file, or a tap of that name, in that way. The caller ends it. */
export async function startHolder(
  how: string,
  path: string,
  within: readonly string[] = [],
): Promise<Bun.Subprocess> {
  const child = Bun.spawn([...within, process.execPath, `${import.meta.dir}/holder.ts`, how, path], {
    stdin: "ignore",
    stdout: "pipe",
  });
  const { value } = await child.stdout.getReader().read();
  if (new TextDecoder().decode(value) !== "holds\n") throw new Error(`it does not hold ${path}`);
  return child;
}
