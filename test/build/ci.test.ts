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

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

type Scripts = Readonly<Record<"demo" | "test" | "ok", string>>;

/** Makes a checkout with .ci/run and these scripts, one line each. */
function makeCheckout(scripts: Scripts): string {
  const folder = mkdtempSync(join(tmpdir(), "svirt-ci-test-"));
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
  return folder;
}

/** Runs .ci/run in a checkout with these scripts, and returns its output and exit code. */
async function runCi(scripts: Scripts) {
  const folder = makeCheckout(scripts);
  try {
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
}, 60_000);

test("CI checks a clone beside the demo, once the demo's node is up", async () => {
  const work = 'cd "$(dirname "$SVIRT_CACHE")"';
  const { out } = await runCi({
    ...FINE,
    demo: [
      `${work}; sleep 1`,
      "! grep check_a_clone check_a_clone.log || exit 1",
      'echo "node: up"; for i in $(seq 200); do [ ! -e ran ] || exit 0; sleep 0.1; done; exit 1',
    ].join("\n"),
    ok: `${work}; grep "node: up" demo.log || exit 1; touch ran`,
  });
  expect(out).toBe("7 passed, 0 failed, 2 skipped\n");
}, 60_000);

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

const WHILE_THERE = 'while [ -e "$(dirname "$SVIRT_CACHE")" ]; do sleep 0.1; done';

test.each([
  { name: "before the demo's node is up", demo: `touch "$TMPDIR.begun"; ${WHILE_THERE}`, ok: "exit 1" },
  {
    name: "while the clone is checked",
    demo: `echo "node: up"; ${WHILE_THERE}`,
    ok: 'touch "$TMPDIR.begun"; sleep 600',
  },
  {
    name: "while the clone is checked by a command that ignores it",
    demo: `echo "node: up"; ${WHILE_THERE}`,
    ok: 'trap "" TERM; touch "$TMPDIR.begun"; for i in $(seq 600); do sleep 1; done',
  },
])(
  "a run of CI that is stopped $name leaves no process and no file",
  async ({ demo, ok }) => {
    const folder = makeCheckout({ ...FINE, demo, ok });
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

test("each of CI's commands has an empty cache of its own, which is gone afterwards", async () => {
  const { err } = await runCi({
    ...FINE,
    demo: 'echo "demo in $SVIRT_CACHE: $(ls "$SVIRT_CACHE" 2>/dev/null)"; mkdir "$SVIRT_CACHE"; touch "$SVIRT_CACHE/full"',
    test: 'echo "test in $SVIRT_CACHE: $(ls "$SVIRT_CACHE" 2>/dev/null)" >&2; echo "1 passed, 0 failed, 0 skipped"',
  });
  expect(err).toMatch(/demo in \/\S+: \n/);
  expect(err).toMatch(/test in \/\S+: \n/);
});
