import { expect, test } from "bun:test";

// Arguments may be any bytes. Bun.spawn passes text, so a shell passes the bytes.

const SVIRT = new URL("../../dist/svirt", import.meta.url).pathname;

async function run(script: string, environment: Readonly<Record<string, string>> = {}) {
  const child = Bun.spawn(["bash", "-c", script, "bash", SVIRT], {
    stderr: "pipe",
    env: { ...process.env, ...environment },
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, out, err };
}

test("a word that is not UTF-8 is taken, and its bytes are shown", async () => {
  for (const [words, shown] of [
    [`label show $'/srv/a\\xff\\xc3\\xa9'`, "/srv/a\\xffé"],
    [`dumpxml $'\\xff'`, String.raw`'\xff'`],
    [`$'\\xc3'`, String.raw`\xc3`],
  ]) {
    const { code, err, out } = await run(`"$1" ${words}`);
    expect([out, err]).toEqual(["", expect.stringContaining(shown ?? "")]);
    expect(code).toBeGreaterThan(1);
  }
});

test("U+FFFD itself, and any other letter, is a letter", async () => {
  const { code, err } = await run(`"$1" label show $'/srv/no\\xef\\xbf\\xbd\\xc3\\xa9'`);
  expect([code, err]).toEqual([3, expect.stringContaining("/srv/no\ufffdé")]);
});

test("what a client of SSH asks for has to be UTF-8", async () => {
  const { code, err } = await run(`SSH_ORIGINAL_COMMAND=$'svirt dumpxml \\xff' "$1" shell`);
  expect([code, err]).toEqual([2, expect.stringContaining("Cannot run the command: it is not UTF-8")]);
});
