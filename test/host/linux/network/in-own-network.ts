/** Runs a program of this folder in a separate network namespace, with the /sys of that namespace. */
export async function inOwnNetwork(
  script: string,
): Promise<{ readonly facts: unknown; readonly errors: string }> {
  const program = new URL(script, import.meta.url).pathname;
  const words = 'mount -t sysfs sysfs /sys && exec "$@"';
  const child = Bun.spawn(["unshare", "-n", "-m", "sh", "-c", words, "sh", process.execPath, program], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { facts: output === "" ? undefined : JSON.parse(output), errors };
}
