import { describe, expect, test } from "bun:test";

const MODULE = new URL("../../../../src/host/linux/terminal/write-out.ts", import.meta.url).pathname;
/** More than a pipe holds. */
const LINES = 20_000;

/**
 * Runs a shell script in which WRITER is a program that writes many lines. Returns its exit code and output.
 */
async function writeInto(reader: string): Promise<{ code: number; said: string; errors: string }> {
  const program = `(await import(${JSON.stringify(MODULE)})).writeOut(1, "0123456789\\n".repeat(${LINES}))`;
  const writer = `"${process.execPath}" -e '${program}'`;
  const shell = Bun.spawn(["bash", "-c", reader.replace("WRITER", writer)], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [said, errors] = await Promise.all([shell.stdout.text(), shell.stderr.text()]);
  return { code: await shell.exited, said: said.trim(), errors };
}

describe("writeOut()", () => {
  test("writes all to a slow reader", async () => {
    expect(await writeInto("WRITER | { sleep 0.2; wc -l; }")).toEqual({
      code: 0,
      said: String(LINES),
      errors: "",
    });
  });

  test("writes all to a slow reader whose pipe does not block", async () => {
    const unblock =
      "perl -e 'use Fcntl; fcntl(STDOUT, F_SETFL, O_WRONLY | O_NONBLOCK) or die; exec @ARGV' --";
    expect(await writeInto(`set -o pipefail; ${unblock} WRITER | { sleep 0.2; wc -l; }`)).toEqual({
      code: 0,
      said: String(LINES),
      errors: "",
    });
  });

  test("writes all where the policy denies code made at run time, and bun:ffi with it", async () => {
    expect(await writeInto("BUN_JSC_useJIT=0 WRITER | { sleep 0.2; wc -l; }")).toEqual({
      code: 0,
      said: String(LINES),
      errors: "",
    });
  });

  test("ends without a word when the reader has had enough", async () => {
    expect(await writeInto("set -o pipefail; WRITER | head -n 1")).toEqual({
      code: 0,
      said: "0123456789",
      errors: "",
    });
  });

  test("tells which of the two could not be written", async () => {
    const program = `const { writeOut } = await import(${JSON.stringify(MODULE)});
      try { writeOut(2, "x"); } catch (error) { writeOut(1, error.message); }`;
    const words = ["sh", "-c", 'exec "$0" -e "$1" 2>/dev/full', process.execPath, program];
    expect(Bun.spawnSync(words).stdout.toString()).toContain("Cannot write to standard error: No space left");
  });

  test("tells of a full disk", async () => {
    const { code, errors } = await writeInto("WRITER >/dev/full");
    expect(code).not.toBe(0);
    expect(errors).toContain("Cannot write to standard output: No space left on device");
  });
});
