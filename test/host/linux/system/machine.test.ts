import { expect, test } from "bun:test";

// Runs as root in a separate mount namespace, where neither machine-id nor a board identifies the machine.

const MODULE = new URL("../../../../src/host/linux/system/machine.ts", import.meta.url).pathname;
const isAble = process.getuid?.() === 0 && Bun.spawnSync(["unshare", "-m", "true"]).exitCode === 0;
const ASIDE = isAble ? "" : " (skipped: needs root, and mount namespaces)";

test.skipIf(!isAble)(
  `a machine that has no id is given one, which svirt keeps for later calls${ASIDE}`,
  () => {
    const script = `import { getMachine } from "${MODULE}";
    process.stdout.write(getMachine().id + (getMachine() === getMachine() ? " " : " another "));`;
    const shell = `set -e; mount -t tmpfs none /var/lib; mount -t tmpfs none /run
    for file in /etc/machine-id /sys/class/dmi/id/product_uuid; do
      [ ! -e $file ] || mount --bind /dev/null $file
    done
    "$0" -e "$1"; "$0" -e "$1"; cat /var/lib/svirt/machine-id; stat -c %a /var/lib/svirt/machine-id`;
    const child = Bun.spawnSync(["unshare", "-m", "sh", "-c", shell, process.execPath, script]);
    const [first = "", second, kept = "", mode] = child.stdout.toString().trim().split(/\s+/);
    expect([first, second, mode]).toEqual([kept.replaceAll("-", ""), first, "600"]);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
  },
);
