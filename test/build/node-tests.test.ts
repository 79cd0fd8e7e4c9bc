import { afterAll, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOLDER = mkdtempSync(`${tmpdir()}/svirt-queue-`);
const QUEUE = `${FOLDER}/queue`;

beforeEach(() =>
  writeFileSync(
    QUEUE,
    "may 900 ./test/node/long.test.ts\nmust 90 ./test/node/due.test.ts\nmay 30 ./test/node/a.test.ts\nalways 500 ./test/node/isolation.test.ts\n",
  ),
);
afterAll(() => rmSync(FOLDER, { recursive: true }));

/** Takes files from the queue until none has time left, with these limits in seconds from now. */
function takeAll(may: number | undefined, must: number | undefined): readonly string[] {
  const at = (seconds: number | undefined): string =>
    seconds === undefined ? "" : String(Math.floor(Date.now() / 1000) + seconds);
  const env = { ...process.env, SVIRT_CACHE: FOLDER, SVIRT_STOP_MAY: at(may), SVIRT_STOP_MUST: at(must) };
  const taken: string[] = [];
  while (true) {
    const { stdout } = Bun.spawnSync([`${ROOT}scripts/lib/node-tests`, "--take", QUEUE], { env });
    const file = stdout.toString().trim();
    if (file === "") return taken;
    taken.push(file.replace(/^.*\/|\.test\.ts$/g, ""));
  }
}

test("a node takes the files in the order of the queue, and leaves none without a limit", () => {
  expect(takeAll(undefined, undefined)).toEqual(["long", "due", "a", "isolation"]);
  expect(readFileSync(QUEUE, "utf8")).toBe("");
});

test("a file that would end too late stays in the queue, and a shorter one takes its place", () => {
  expect(takeAll(500, 1000)).toEqual(["due", "a", "isolation"]);
  expect(readFileSync(QUEUE, "utf8")).toBe("may 900 ./test/node/long.test.ts\n");
});

test("files without which the gate fails begin beyond the budget, and isolation at any time", () => {
  expect(takeAll(10, 100)).toEqual(["due", "isolation"]);
  expect(takeAll(10, 50)).toEqual([]);
  expect(readFileSync(QUEUE, "utf8")).toBe(
    "may 900 ./test/node/long.test.ts\nmay 30 ./test/node/a.test.ts\n",
  );
});

/**
 * Runs bash in a folder with the project's scripts, with the counters of a run. Returns its output and what
 * was recorded.
 */
function runInFolder(script: string, files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(`${tmpdir()}/svirt-races-`);
  try {
    mkdirSync(`${folder}/dist/junit`, { recursive: true });
    mkdirSync(`${folder}/test/cli`, { recursive: true });
    symlinkSync(`${ROOT}scripts`, `${folder}/scripts`);
    for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/${name}`, text);
    const sourced = ["setup", "test-files", "count", "races"].map((name) => `. scripts/lib/${name}.sh`);
    const child = Bun.spawnSync(["bash", "-euo", "pipefail", "-c", [...sourced, script].join("\n")], {
      cwd: folder,
      env: { ...process.env, SVIRT_CACHE: folder },
    });
    const results = Bun.spawnSync(["cat", `${folder}/results`]).stdout.toString();
    return { out: child.stdout.toString(), err: child.stderr.toString(), results };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const RUN_AND_AGAIN = `
  export PATH="${process.execPath.replace(/\/[^/]*$/, "")}:$PATH"
  status=0
  bun test --reporter=junit --reporter-outfile=dist/junit/host.xml ./test >dist/junit/host.log 2>&1 || status=$?
  count_junit dist/junit/host.xml "$status" skip-is-fine
  run_host_failures_again dist/junit/host.xml results
  sum_up`;

/** Test that fails once in its folder. */
const FAILS_ONCE = `
  import { existsSync, writeFileSync } from "node:fs";
  import { expect, test } from "bun:test";
  test("holds", () => undefined);
  test("comes in time", () => {
    const ran = existsSync("ran");
    writeFileSync("ran", "");
    expect(ran).toBe(true);
  });`;

test("a host's file that fails and passes alone is forgiven, named as raced, and recorded", () => {
  const { err, out, results } = runInFolder(RUN_AND_AGAIN, { "test/cli/a.test.ts": FAILS_ONCE });
  expect(out).toBe("2 passed, 0 failed, 0 skipped\n");
  expect(err.trimEnd().split("\n").at(-1)).toBe("raced: test/cli/a.test.ts: comes in time");
  expect(results).toBe("test/cli/a.test.ts\t0\traced\tcomes in time\n");
});

test.each([
  ["fails again", { "test/cli/a.test.ts": FAILS_ONCE.replace("toBe(true)", 'toBe("again")') }],
  ["is about kills", { "test/cli/killed.test.ts": FAILS_ONCE }],
  [
    "fails beside a file that cannot be loaded",
    { "test/cli/a.test.ts": FAILS_ONCE, "test/cli/b.test.ts": 'import "./nothing.ts";' },
  ],
  [
    "fails with two others",
    Object.fromEntries(
      ["a", "b", "c"].map((name) => [
        `test/cli/${name}.test.ts`,
        FAILS_ONCE.replaceAll('"ran"', `"${name}"`),
      ]),
    ),
  ],
])("a host's file that %s is not forgiven", (_, files) => {
  const { err, out, results } = runInFolder(RUN_AND_AGAIN, files);
  expect(out).toMatch(/passed, [1-9]\d* failed,/);
  expect(err).not.toContain("raced: ");
  expect(results).toBe("");
});
