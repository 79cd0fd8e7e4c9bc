import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";

// Runs as root in a separate mount namespace, where /var/lib, /run and the kernel's folder of SELinux are empty at first.

const MODULE = new URL("../../../src/host/linux/list-nothing.ts", import.meta.url).pathname;
const EMPTY_LIST = " Id   Name   State\n--------------------\n\n";
const LEFT_TO_OTHERS = { out: "", isDone: false };
const isAble = process.getuid?.() === 0 && Bun.spawnSync(["unshare", "-m", "true"]).exitCode === 0;
const ASIDE = isAble ? "" : " (skipped: needs root, and mount namespaces)";
const SELINUX = existsSync("/sys/fs/selinux")
  ? "mount -t tmpfs none /sys/fs/selinux"
  : "mount -t tmpfs none /sys/fs; mkdir /sys/fs/selinux";

function listAfter(preparation: string, words: readonly string[] = ["list"], redirection = "") {
  const script = `import { listNothing } from "${MODULE}";
    process.exit(listNothing(process.argv.slice(1)) ? 0 : 7);`;
  const shell = `set -e; mount -t tmpfs none /var/lib; mount -t tmpfs none /run; ${SELINUX}
    ${preparation}; program=$0 script=$1; shift; exec "$program" -e "$script" -- "$@" ${redirection}`;
  const child = Bun.spawnSync(["unshare", "-m", "sh", "-c", shell, process.execPath, script, ...words], {
    stdin: "ignore",
  });
  if (child.exitCode !== 0 && child.exitCode !== 7) throw new Error(child.stderr.toString());
  return { out: child.stdout.toString(), isDone: child.exitCode === 0 };
}

describe.skipIf(!isAble)(`listNothing()${ASIDE}`, () => {
  test.each([
    ["svirt has never been used", "true"],
    ["its folders are empty", "mkdir -p /var/lib/svirt/records /run/svirt/restart"],
    ["SELinux enforces", "echo 1 >/sys/fs/selinux/enforce"],
  ])("prints virsh's table without a row when %s", (_, preparation) => {
    expect(listAfter(preparation)).toEqual({ out: EMPTY_LIST, isDone: true });
  });

  test.each([
    ["a guest may run", "mkdir -p /var/lib/svirt/records/x"],
    ["a restart was asked for", "mkdir -p /run/svirt/restart; : >/run/svirt/restart/x"],
    ["a folder is no folder", "mkdir /var/lib/svirt; : >/var/lib/svirt/records"],
    ["SELinux holds nothing back", "echo 0 >/sys/fs/selinux/enforce"],
    ["SELinux does not say", ": >/sys/fs/selinux/enforce"],
  ])("leaves the answer to the rest of svirt when %s", (_, preparation) => {
    expect(listAfter(preparation)).toEqual(LEFT_TO_OTHERS);
  });

  test.each([[["list", "--all"]], [["audit"]], [[]]])("is for the one word list, not for %j", (words) => {
    expect(listAfter("true", words)).toEqual(LEFT_TO_OTHERS);
  });

  test("is for root's guests, which are no other user's", () => {
    const script = `import { listNothing } from "${MODULE}";
      process.setuid(65534); process.exit(listNothing(["list"]) ? 0 : 7);`;
    const { exitCode, stdout } = Bun.spawnSync([process.execPath, "-e", script]);
    expect([exitCode, stdout.toString()]).toEqual([7, ""]);
  });

  test("has not listed what could not be written", () => {
    expect(listAfter("true", ["list"], ">/dev/full")).toEqual(LEFT_TO_OTHERS);
  });
});
