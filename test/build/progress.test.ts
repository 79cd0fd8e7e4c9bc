import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

test("a script that is silent for long says again what it does, also a nested one, until it ends", async () => {
  const folder = mkdtempSync(join(tmpdir(), "svirt-progress-"));
  try {
    const line = [
      "set -euo pipefail; . scripts/lib/setup.sh",
      'export SVIRT_SAID=$1/said; break_silence "$SVIRT_SAID" $$ &',
      "progress first; sleep 4",
      "bash -c '. scripts/lib/setup.sh; progress \"  nested: its step\"'; sleep 3; rm $SVIRT_SAID; sleep 3",
    ].join("\n");
    const child = Bun.spawn(["bash", "-c", line, "bash", folder], {
      cwd: ROOT,
      env: { ...process.env, SVIRT_SILENCE: "1", SVIRT_STARTED: undefined },
      stderr: "pipe",
    });
    // The end of the stream: nothing writes to it any longer.
    const said = (await new Response(child.stderr).text()).trimEnd().split("\n");
    const texts = said.map((text) => text.replace(/^\[ *\d+s\] /, ""));
    expect(texts.slice(0, 3)).toEqual(["first", "   still: first", "   still: first"]);
    const nested = texts.slice(texts.indexOf("  nested: its step"));
    expect(nested.length).toBeGreaterThan(1);
    expect(new Set(nested.slice(1))).toEqual(new Set(["   still: nested: its step"]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);

/** Returns the children of a process, while it runs. */
function childrenOf(pid: number): readonly string[] {
  const words = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return words === "" ? [] : words.split(" ");
}

/** Waits for something, for 30 s at most. */
async function until(isSo: () => boolean): Promise<boolean> {
  for (let at = 0; at < 300 && !isSo(); at += 1) await Bun.sleep(100);
  return isSo();
}

test("the loops that keep processors busy beside a script end with it, even when it is killed", async () => {
  const line = ". scripts/lib/setup.sh; keep_busy 2 $$; read -r line";
  const child = Bun.spawn(["bash", "-c", line], { cwd: ROOT, stdin: "pipe" });
  let loops: readonly string[] = [];
  try {
    expect(
      await until(() => {
        loops = childrenOf(child.pid);
        return loops.length === 2;
      }),
    ).toBe(true);
    await Bun.sleep(1000);
    expect(loops.every((pid) => existsSync(`/proc/${pid}`))).toBe(true);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
  expect(await until(() => loops.every((pid) => !existsSync(`/proc/${pid}`)))).toBe(true);
}, 90_000);

test("a download that reads nothing any longer is ended, and a slow download is not", async () => {
  const download = async (reader: string) => {
    const line = `. scripts/lib/setup.sh; while_it_reads bash -c '${reader}'`;
    const env = { ...process.env, SVIRT_NOTHING_READ: "3" };
    const child = Bun.spawn(["bash", "-c", line], { cwd: ROOT, env, stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { out, err, code };
  };
  const slow = "for turn in 1 2 3 4 5 6; do read -r line </proc/version; sleep 1; done; echo whole; exit 7";
  const [stalled, whole] = await Promise.all([download("exec sleep 600"), download(slow)]);
  expect(stalled.code).toBe(143);
  expect(stalled.err).toContain("nothing was read for 3 s. Is the network up");
  expect(whole).toEqual({ out: "whole\n", err: "", code: 7 });
}, 60_000);
