import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const LIBRARY = fileURLToPath(new URL("../../scripts/lib/test-files.sh", import.meta.url));

/** Returns the output of list_failed for that file. */
function listFailed(junit: string): string {
  const run = Bun.spawnSync([
    "bash",
    "-euo",
    "pipefail",
    "-c",
    '. "$1"; list_failed "$2"',
    "bash",
    LIBRARY,
    junit,
  ]);
  expect([run.exitCode, run.stderr.toString()]).toEqual([0, ""]);
  return run.stdout.toString();
}

test("the failed tests of a run are listed by file and title", () => {
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
    Bun.spawnSync([process.execPath, ...words], { cwd: folder });
    expect(listFailed(junit)).toBe(`some.test.ts: ${titles[0]}\nsome.test.ts: ${titles[2]}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a run without a result has no failed tests to list", () => {
  expect(listFailed("/nonexistent/junit.xml")).toBe("");
});
