import { expect, test } from "bun:test";

const HOST = new URL("../../../../src/host/linux/linux-host.ts", import.meta.url).pathname;
const isAble =
  process.getuid?.() === 0 &&
  Bun.which("ip") !== null &&
  Bun.spawnSync(["unshare", "-nm", "sh", "-c", "mount -t sysfs none /sys && ip link add d0 type bridge"])
    .exitCode === 0;
const ASIDE = isAble ? "" : " (skipped: needs root, ip, and network namespaces)";

/**
 * Returns the devices with a default route in a new network namespace with three devices, after these
 * commands.
 */
function routedAfter(commands: string): unknown {
  const script = `import { makeLinuxHost } from "${HOST}";
    process.stdout.write(JSON.stringify(makeLinuxHost().listDefaultRoutes()));`;
  const devices = [0, 1, 2].map(
    (at) => `ip link add d${at} type bridge; ip addr add 10.9.${at}.1/24 dev d${at}; ip link set d${at} up\n`,
  );
  const shell = `set -e\nmount -t sysfs none /sys\n${devices.join("")}${commands}\nexec "$0" -e "$1"`;
  const child = Bun.spawnSync(["unshare", "-nm", "sh", "-c", shell, process.execPath, script]);
  if (!child.success) throw new Error(child.stderr.toString());
  return JSON.parse(child.stdout.toString());
}

test.skipIf(!isAble).each([
  ["true", []],
  ["ip route add 192.0.2.0/24 via 10.9.0.2", []],
  ["ip route add default via 10.9.1.2", ["d1"]],
  ["ip route add default nexthop via 10.9.0.2 nexthop via 10.9.2.2", ["d0", "d2"]],
  ["ip route add default via 10.9.0.2 table 99", []],
  ["ip -6 route add default dev d2", ["d2"]],
])(`after %s the default route is by %p${ASIDE}`, (commands, names) => {
  expect(routedAfter(commands)).toEqual(names);
});
