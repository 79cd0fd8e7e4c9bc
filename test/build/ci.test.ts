import { expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testInTurn } from "../sample.ts";

const inTurn = testInTurn(3, 1);

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Stands for scripts/gate.ts: prints the results that CI records, and lets every failed file run once more.
 */
const GATE = `const [verb, ...words] = process.argv.slice(2);
const { stderr, stdout } = process;
if (verb === "record") stderr.write("recorded: " + (await Bun.file(words[0]).text()) + (process.env.SVIRT_LEDGER ?? "write") + "\\n");
else stdout.write(words.join("\\n") + "\\n");`;

type Scripts = Readonly<Record<"demo" | "test" | "ok", string>>;

/** Makes a checkout with .ci/run and these scripts, one line each. */
function makeCheckout(scripts: Scripts): string {
  const folder = mkdtempSync(join(tmpdir(), "svirt-ci-test-"));
  mkdirSync(`${folder}/scripts/lib`, { recursive: true });
  cpSync(`${ROOT}.ci/run`, `${folder}/.ci/run`);
  for (const name of ["test-files", "count", "races"])
    cpSync(`${ROOT}scripts/lib/${name}.sh`, `${folder}/scripts/lib/${name}.sh`);
  // Replaces need_bun() by one that uses this bun and fetches none.
  writeFileSync(
    `${folder}/scripts/lib/setup.sh`,
    'need_bun() { export PATH="$PWD/bin:$PATH"; }\nprogress() { echo "$@" >&2; }\n',
  );
  writeFileSync(`${folder}/scripts/gate.ts`, GATE);
  mkdirSync(`${folder}/bin`);
  symlinkSync(process.execPath, `${folder}/bin/bun`);
  for (const [name, line] of Object.entries(scripts)) {
    const ends = name === "test" ? '[ "$1" != --packages ] || exit 0\n' : "";
    writeFileSync(`${folder}/scripts/${name}`, `#!/bin/sh\n${ends}${line}\n`);
    chmodSync(`${folder}/scripts/${name}`, 0o755);
  }
  writeFileSync(`${folder}/package.json`, '{ "scripts": { "ok": "scripts/ok" } }');
  const git = (...words: string[]) => Bun.spawnSync(["git", "-C", folder, ...words]);
  git("init", "-q");
  git("add", "-A");
  git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "a");
  return folder;
}

/** Runs .ci/run in a checkout with these scripts, and returns its output and exit code. */
async function runCi(scripts: Scripts, ci = "") {
  const folder = makeCheckout(scripts);
  try {
    // Inside of CI, this test has the variable too.
    const env = { ...process.env, CI: ci, SVIRT_LEDGER: undefined };
    const child = Bun.spawn([`${folder}/.ci/run`], { stdout: "pipe", stderr: "pipe", env });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { out, err, code };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const FINE = { demo: "echo shown", ok: "echo ok", test: "echo '5 passed, 0 failed, 2 skipped'" };

test.each([
  { name: "all hold", scripts: {}, sum: "7 passed, 0 failed, 2 skipped" },
  { name: "the demo fails", scripts: { demo: "exit 1" }, sum: "6 passed, 1 failed, 2 skipped" },
  { name: "a contributor's command fails", scripts: { ok: "exit 1" }, sum: "6 passed, 1 failed, 2 skipped" },
  {
    name: "a test fails",
    scripts: { test: "echo '4 passed, 1 failed, 2 skipped'; exit 1" },
    sum: "6 passed, 1 failed, 2 skipped",
  },
  { name: "no sum comes", scripts: { test: "exit 3" }, sum: "2 passed, 1 failed, 0 skipped" },
  {
    name: "the tests fail and count nothing failed",
    scripts: { test: "echo '5 passed, 0 failed, 0 skipped'; exit 1" },
    sum: "7 passed, 1 failed, 0 skipped",
  },
])("CI prints one sum of all that it ran: $name", async ({ scripts, sum }) => {
  const run = await runCi({ ...FINE, ...scripts });
  expect([run.out, run.code]).toEqual([`${sum}\n`, sum.includes(" 0 failed") ? 0 : 1]);
});

inTurn(
  "CI names what has failed once more at its end",
  async () => {
    const { err } = await runCi({ demo: "exit 1", ok: "exit 1", test: "echo killed; exit 3" });
    expect(err.trimEnd().split("\n").slice(-3)).toEqual([
      "(fail) scripts/demo",
      "(fail) bun install && bun run ok",
      "(fail) scripts/test ends with exit code 3 and without its last line: killed",
    ]);
  },
  60_000,
);

inTurn(
  "CI does as a contributor beside the demo, once the demo's node is up",
  async () => {
    const work = 'cd "$(dirname "$SVIRT_CACHE")"';
    const { out } = await runCi({
      ...FINE,
      demo: [
        `${work}; sleep 1`,
        "! grep bun_run_ok ok.log || exit 1",
        'echo "node: up"; for i in $(seq 200); do [ ! -e ran ] || exit 0; sleep 0.1; done; exit 1',
      ].join("\n"),
      ok: `${work}; grep "node: up" demo.log || exit 1; touch ran`,
    });
    expect(out).toBe("7 passed, 0 failed, 2 skipped\n");
  },
  60_000,
);

/** Returns the processes that have this in their environment. */
function processesWith(variable: string): number[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      const environment = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/environ`, "latin1") : "";
      return environment.split("\0").includes(variable) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Waits for something, for 50 s at most. */
async function until(isSo: () => boolean): Promise<boolean> {
  for (let at = 0; at < 500 && !isSo(); at += 1) await Bun.sleep(100);
  return isSo();
}

test.each([
  { name: "before the demo's node is up", demo: 'touch "$TMPDIR.begun"; sleep 600', ok: "exit 1" },
  {
    name: "while the checks run",
    demo: 'echo "node: up"; sleep 600',
    ok: 'touch "$TMPDIR.begun"; sleep 600',
  },
  {
    name: "while the checks run by a command that ignores it",
    demo: 'echo "node: up"; sleep 600',
    ok: 'trap "" TERM; touch "$TMPDIR.begun"; for i in $(seq 600); do sleep 1; done',
  },
  {
    name: "while the tests run",
    test: 'touch "$TMPDIR.begun"; sleep 600',
  },
])(
  "a run of CI that is stopped $name leaves no process and no file",
  async ({ name: _, ...scripts }) => {
    const folder = makeCheckout({ ...FINE, ...scripts });
    const temporary = `${folder}/tmp`;
    mkdirSync(temporary);
    const env = { ...process.env, TMPDIR: temporary };
    try {
      const child = Bun.spawn([`${folder}/.ci/run`], { stdout: "ignore", stderr: "ignore", env });
      expect(await until(() => existsSync(`${temporary}.begun`))).toBe(true);
      child.kill("SIGTERM");
      expect(await until(() => processesWith(`TMPDIR=${temporary}`).length === 0)).toBe(true);
      expect(readdirSync(temporary)).toEqual([]);
    } finally {
      for (const pid of processesWith(`TMPDIR=${temporary}`)) process.kill(pid, "SIGKILL");
      rmSync(folder, { recursive: true });
    }
  },
  120_000,
);

inTurn("CI's commands share one cache, which is empty at first and gone afterwards", async () => {
  const { err } = await runCi({
    ...FINE,
    demo: 'echo "demo in $SVIRT_CACHE: $(ls "$SVIRT_CACHE" 2>/dev/null)"; mkdir "$SVIRT_CACHE"; touch "$SVIRT_CACHE/full"',
    test: 'echo "test in $SVIRT_CACHE: $(ls "$SVIRT_CACHE")" >&2; echo "1 passed, 0 failed, 0 skipped"',
  });
  const [, cache = ""] = /demo in (\/\S+): \n/.exec(err) ?? [];
  expect(err).toContain(`test in ${cache}: full\n`);
  expect(cache).not.toBe("");
  expect(existsSync(cache)).toBe(false);
});

inTurn("CI prints the minutes of each part", async () => {
  const { err } = await runCi({
    ...FINE,
    test: 'printf "120\\tfiles on nodes\\n" >>"$SVIRT_PARTS"; echo "1 passed, 0 failed, 0 skipped"',
  });
  const [, minutes = ""] = err.split("minutes of each part:\n");
  expect(minutes).toMatch(/^ +0\.\d {2}demo\n/m);
  expect(minutes).toMatch(/^ +0\.\d {2}bun run ok, beside the demo\n/m);
  expect(minutes).toMatch(/^ +2\.0 {2}files on nodes\n/m);
  expect(minutes).toMatch(/^ +0\.\d {2}in total\n/m);
});

inTurn("the whole run is recorded, by CI in print only", async () => {
  expect((await runCi(FINE)).err).toMatch(/recorded: gate\t\d+\tpassed\nwrite\n/);
  expect((await runCi(FINE, "true")).err).toMatch(/recorded: gate\t\d+\tpassed\nread\n/);
  expect((await runCi({ ...FINE, demo: "exit 1" })).err).toMatch(/recorded: gate\t\d+\tfailed\n/);
});

inTurn("a race of the tests on nodes is named at the end", async () => {
  const { err } = await runCi({
    ...FINE,
    test: 'echo "raced: test/node/a.test.ts: comes in time" >&2; echo "1 passed, 0 failed, 0 skipped"',
  });
  expect(err.trimEnd().split("\n").at(-1)).toBe("raced: test/node/a.test.ts: comes in time");
});

/** Stands for `bun run ok` with one test, which fails once in its checkout, or always. */
function okWithTest(assertion: string): string {
  const source = `import { existsSync, writeFileSync } from "node:fs"; import { expect, test } from "bun:test";
    test("comes in time", () => { const ran = existsSync("ran"); writeFileSync("ran", ""); expect(${assertion}).toBe(true); });`;
  return `mkdir -p test dist/junit
cat >test/a.test.ts <<'END'
${source}
END
bun test --reporter=junit --reporter-outfile=dist/junit/ok.xml ./test/a.test.ts >dist/junit/ok.log 2>&1 || exit 3`;
}

inTurn(
  "the tests of bun run ok are counted, and a failed file runs once more",
  async () => {
    const passes = await runCi({ ...FINE, ok: okWithTest("true") });
    expect(passes.out).toBe("8 passed, 0 failed, 2 skipped\n");
    const raced = await runCi({ ...FINE, ok: okWithTest("ran") });
    expect(raced.out).toBe("8 passed, 0 failed, 2 skipped\n");
    expect(raced.err.trimEnd().split("\n").at(-1)).toBe("raced: test/a.test.ts: comes in time");
    expect(raced.err).toContain("recorded: test/a.test.ts\t0\traced\tcomes in time\ngate\t");
    const fails = await runCi({ ...FINE, ok: okWithTest("false") });
    expect(fails.out).toMatch(/^\d passed, 1 failed, 2 skipped\n$/);
  },
  60_000,
);

inTurn("tests of bun run ok that fail without a named failure are a failure of CI", async () => {
  expect((await runCi({ ...FINE, ok: "exit 3" })).out).toMatch(/ 1 failed, /);
});
