import { expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Runs .ci/run in a checkout with these scripts, one line each, and returns its output and exit code. */
async function runCi(scripts: Readonly<Record<"demo" | "test" | "ok", string>>) {
  const folder = mkdtempSync(join(tmpdir(), "svirt-ci-test-"));
  try {
    mkdirSync(`${folder}/scripts/lib`, { recursive: true });
    cpSync(`${ROOT}.ci/run`, `${folder}/.ci/run`);
    // Replaces need_bun() by one that uses this bun and fetches none.
    writeFileSync(`${folder}/scripts/lib/setup.sh`, 'need_bun() { export PATH="$PWD/bin:$PATH"; }\n');
    mkdirSync(`${folder}/bin`);
    symlinkSync(process.execPath, `${folder}/bin/bun`);
    for (const [name, line] of Object.entries(scripts)) {
      writeFileSync(`${folder}/scripts/${name}`, `#!/bin/sh\n${line}\n`);
      chmodSync(`${folder}/scripts/${name}`, 0o755);
    }
    writeFileSync(`${folder}/package.json`, '{ "scripts": { "ok": "scripts/ok" } }');
    const git = (...words: string[]) => Bun.spawnSync(["git", "-C", folder, ...words]);
    git("init", "-q");
    git("add", "-A");
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "a");
    const child = Bun.spawn([`${folder}/.ci/run`], { stdout: "pipe", stderr: "pipe" });
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

test("CI names what has failed once more at its end", async () => {
  const { err } = await runCi({ demo: "exit 1", ok: "exit 1", test: "echo killed; exit 3" });
  expect(err.trimEnd().split("\n").slice(-3)).toEqual([
    "(fail) scripts/demo",
    "(fail) check_a_clone",
    "(fail) scripts/test ends with exit code 3 and without its last line: killed",
  ]);
}, 30_000);

test("CI checks a clone beside the demo, once the demo's node is up", async () => {
  const ran = 'ran=$(dirname "$SVIRT_CACHE")/ran';
  const { out } = await runCi({
    ...FINE,
    demo: `${ran}; sleep 1; [ ! -e "$ran" ] || exit 1; echo "node: up"; until [ -e "$ran" ]; do sleep 0.1; done`,
    ok: `${ran}; touch "$ran"`,
  });
  expect(out).toBe("7 passed, 0 failed, 2 skipped\n");
}, 30_000);

test("each of CI's commands has an empty cache of its own, which is gone afterwards", async () => {
  const { err } = await runCi({
    ...FINE,
    demo: 'echo "demo in $SVIRT_CACHE: $(ls "$SVIRT_CACHE" 2>/dev/null)"; mkdir "$SVIRT_CACHE"; touch "$SVIRT_CACHE/full"',
    test: 'echo "test in $SVIRT_CACHE: $(ls "$SVIRT_CACHE" 2>/dev/null)" >&2; echo "1 passed, 0 failed, 0 skipped"',
  });
  expect(err).toMatch(/demo in \/\S+: \n/);
  expect(err).toMatch(/test in \/\S+: \n/);
});
