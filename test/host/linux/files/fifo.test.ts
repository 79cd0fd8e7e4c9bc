import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";

const folder = mkdtempSync(`${tmpdir()}/svirt-fifo-`);
afterAll(() => rmSync(folder, { recursive: true }));
const FILES = new URL("../../../../src/host/linux/files/", import.meta.url).pathname;

// open(2) of a FIFO waits for a writer without O_NONBLOCK, and then reads nothing.
test.each(["quick-files.ts", "files.ts"])(
  "readText() of %s does not wait for the writer of a FIFO",
  (file) => {
    const path = `${folder}/${file}.xml`;
    Bun.spawnSync(["mkfifo", path]);
    const script = `const { readText } = await import("${FILES}${file}"); console.log(JSON.stringify(readText("${path}")))`;
    const done = Bun.spawnSync([process.execPath, "-e", script], { timeout: 10_000, killSignal: "SIGKILL" });
    expect([done.stdout.toString(), done.exitCode]).toEqual(['""\n', 0]);
  },
);
