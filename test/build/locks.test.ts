import { afterAll, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// Real processes take the locks of scripts/ and image/, with an empty cache.

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const caches: string[] = [];
let cache = "";
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "svirt-locks-"));
  caches.push(cache);
});
afterAll(async () => {
  await Promise.all(caches.map((folder) => rm(folder, { recursive: true })));
});

/** Starts bash with scripts/lib/setup.sh or image/lib.sh sourced, and runs a line. */
function start(line: string, library = "image/lib.sh") {
  const env: Record<string, string | undefined> = {
    ...process.env,
    SVIRT_CACHE: cache,
    SVIRT_TELL: undefined,
  };
  return Bun.spawn(["bash", "-c", `set -euo pipefail; . ${library}; ${line}`], {
    cwd: ROOT,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

/**
 * Reads until the text has a match and leaves the rest unread. Returns undefined at the end of the stream.
 */
async function readUntil(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<string | undefined> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let found: string | undefined;
  while (found === undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    found = text.match(pattern)?.[0];
  }
  reader.releaseLock();
  return found;
}

/** Runs a line until its standard input ends, and returns functions to await its start and to end it. */
function hold(line: string) {
  const holder = Bun.spawn(["bash", "-c", `set -euo pipefail; . image/lib.sh; ${line}`], {
    cwd: ROOT,
    env: { ...process.env, SVIRT_CACHE: cache },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  return {
    ready: async () => expect(await readUntil(holder.stdout, /held/)).toBe("held"),
    release: async () => {
      await holder.stdin.end();
      expect(await holder.exited).toBe(0);
    },
  };
}

/** Prints "held" when it runs, then waits for the end of its standard input. */
const WAIT = "eval 'echo held >&4; read -r _ || :'";

const NOW = /since 2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d \(\d+ s\)/;

test("what waits for a lock says for which, since when it is held, and by which process and command", async () => {
  const holder = hold(`exec 4>&1; locked thing ${WAIT}`);
  await holder.ready();
  const waiter = start("locked thing echo done", "scripts/lib/setup.sh");
  const line = (await readUntil(waiter.stderr, /.*waiting for.*\n/)) ?? "";
  expect(line).toContain('waiting for the lock "thing": process ');
  expect(line).toMatch(NOW);
  expect(line).toContain(": bash -c set -euo pipefail; . image/lib.sh; exec 4>&1; locked thing");
  await holder.release();
  expect(await new Response(waiter.stdout).text()).toBe("done\n");
  expect(await waiter.exited).toBe(0);
});

test("that is seen where standard error is kept in a file, as scripts/test does with its checks", async () => {
  const holder = hold(`exec 4>&1; locked thing ${WAIT}`);
  await holder.ready();
  const waiter = start("SVIRT_TELL=3; { locked thing true; } 3>&1 2>/dev/null");
  expect(await readUntil(waiter.stdout, /waiting for the lock "thing": process/)).toBeDefined();
  await holder.release();
  expect(await waiter.exited).toBe(0);
  expect(await Bun.file(`${ROOT}scripts/lib/checks.sh`).text()).toContain(
    'SVIRT_TELL=3 "$@" 3>&2 >"dist/checks/$name" 2>&1',
  );
});

test("a descriptor that is closed does not keep what waits from saying so", async () => {
  const holder = hold(`exec 4>&1; locked thing ${WAIT}`);
  await holder.ready();
  const waiter = start("SVIRT_TELL=77; locked thing true");
  expect(await readUntil(waiter.stderr, /waiting for the lock "thing": process/)).toBeDefined();
  await holder.release();
  expect(await waiter.exited).toBe(0);
});

test("a lock whose last holder was killed is free, and its name is not told", async () => {
  const killed = start("locked thing eval 'kill -9 $BASHPID'");
  expect(await killed.exited).not.toBe(0);
  const next = start("locked thing true");
  expect(await next.exited).toBe(0);
  expect(await new Response(next.stderr).text()).not.toContain("waiting");
});

const perl = Bun.which("perl");
const aside = perl === null ? " (skipped: perl is missing)" : "";
test.skipIf(perl === null)(
  `what waits for another program's record lock, as apt's, says so${aside}`,
  async () => {
    const file = join(cache, "lock-frontend");
    // struct flock, fcntl(2)
    const script = `use Fcntl; my $lock = pack("ssx4qqix4", F_WRLCK, 0, 0, 0, 0); open(my $file, ">", shift);
    fcntl($file, F_SETLK, $lock) or die; $| = 1; print "held"; <STDIN>`;
    const holder = Bun.spawn([perl ?? "", "-e", script, file], {
      stdin: "pipe",
      stdout: "pipe",
    });
    expect(await readUntil(holder.stdout, /held/)).toBe("held");
    const waiter = start(`wait_for_record ${file}; echo done`);
    const line = (await readUntil(waiter.stderr, /.*waiting for.*\n/)) ?? "";
    expect(line).toContain(`waiting for ${file}: process ${holder.pid} holds it, which runs since 2`);
    expect(line).toContain(`: ${perl} -e use Fcntl;`);
    await holder.stdin.end();
    expect(await new Response(waiter.stdout).text()).toBe("done\n");
  },
);

test("scripts take locks by locked() alone, which says what it waits for", async () => {
  const listed = Bun.spawn(["git", "grep", "-lw", "flock", "--", "scripts", "image", "test", ".ci"], {
    cwd: ROOT,
  });
  const files = (await new Response(listed.stdout).text()).trim().split("\n");
  // A policy only names flock. Programs on a node belong to a test: no person waits for their locks.
  const shell = files.filter((file) => !/\.(xml|ts|c|cil)$/.test(file) && !file.startsWith("test/node/"));
  expect(shell).toEqual(["scripts/lib/setup.sh"]);
});

test("while QEMU is compiled for the product's image, each step of a test node's build can be done", async () => {
  const holder = hold(`exec 4>&1; cached ship-qemu 0123456789abcdef ${WAIT}`);
  await holder.ready();
  const text = async (path: string): Promise<string> => await Bun.file(`${ROOT}${path}`).text();
  const node = `${await text("image/build")}${await text("image/lib.sh")}`;
  const steps = [
    ...node.matchAll(
      /\$\(cached ([a-z-]+) |&& cached ([a-z-]+) |begin [a-z-]+ cached ([a-z-]+) |^ +cached (image) /gm,
    ),
  ].map(([, ...names]) => names.find((name) => name !== undefined));
  expect(steps.toSorted()).toEqual([
    "image",
    "kernel",
    "keys",
    "policy",
    "policy-base",
    "program",
    "root",
    "stage",
  ]);
  // The builds take no other lock around the steps.
  expect(await text("image/build")).not.toMatch(/\blocked\b/);
  expect(await text("image/ship/build")).not.toMatch(/\blocked\b/);
  expect(await text("image/ship/build")).toContain('cached "ship-$name"');
  const all = start(`for name in ${steps.join(" ")}; do cached "$name" 0123456789abcdef touch; done`);
  expect(await all.exited).toBe(0);
  expect(await new Response(all.stdout).text()).toContain(`${cache}/node/root-0123456789abcdef\n`);
  await holder.release();
});

test("two that want the same step at once do it once", async () => {
  const step = "cached step 0123456789abcdef eval 'sleep 0.2; mktemp -p \"$SVIRT_CACHE\" did-XXXXXX; :'";
  const both = [start(step), start(step)];
  for (const one of both) expect(await one.exited).toBe(0);
  expect((await readdir(cache)).filter((name) => name.startsWith("did-"))).toHaveLength(1);
});
