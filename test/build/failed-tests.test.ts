import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const LIBRARY = fileURLToPath(new URL("../../scripts/lib/test-files.sh", import.meta.url));

/** Returns the output of that function for that file. */
function callLibrary(name: "list_failed" | "show_failed", file: string): string {
  const run = Bun.spawnSync([
    "bash",
    "-euo",
    "pipefail",
    "-c",
    '. "$1"; "$2" "$3"',
    "bash",
    LIBRARY,
    name,
    file,
  ]);
  expect([run.exitCode, run.stderr.toString()]).toEqual([0, ""]);
  return run.stdout.toString();
}

test("the failed tests of a run are listed by file and title, and what they printed is shown", () => {
  const folder = mkdtempSync(join(tmpdir(), "svirt-failed-"));
  try {
    const titles = ['takes "quotes" & <angles>', "is fine", "fails in a group"];
    writeFileSync(
      `${folder}/some.test.ts`,
      `import { describe, expect, test } from "bun:test";
      const [first, second, third] = ${JSON.stringify(titles)};
      test(first, () => expect(1).toBe(2));
      test(second, () => expect(1).toBe(1));
      describe("the group", () => test(third, () => { throw new Error("name=1 file=2"); }));`,
    );
    const junit = `${folder}/junit.xml`;
    const words = ["test", "--reporter=junit", `--reporter-outfile=${junit}`, "./some.test.ts"];
    const log = `${folder}/log`;
    Bun.spawnSync([process.execPath, ...words], { cwd: folder, stderr: Bun.file(log) });
    expect(callLibrary("list_failed", junit)).toBe(
      `some.test.ts: ${titles[0]}\nsome.test.ts: ${titles[2]}\n`,
    );
    const shown = callLibrary("show_failed", log);
    expect(shown).toContain("Expected: 2");
    expect(shown).toContain("name=1 file=2");
    expect(shown).toContain("(fail)");
    expect(shown).not.toContain("(pass)");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a run without a result has no failed tests to list", () => {
  expect(callLibrary("list_failed", "/nonexistent/junit.xml")).toBe("");
  expect(callLibrary("show_failed", "/nonexistent/log")).toBe("");
});
