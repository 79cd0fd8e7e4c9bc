// Program for open-vswitch.test.ts, in a separate mount namespace: kills a svirt that adds a port, with a
// slow program in the place of ovs-vsctl. Prints as JSON whether the program has begun and whether it went
// on.
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";
import { openTap } from "../../../../src/host/linux/network/open-tap.ts";
import { setUpTap } from "../../../../src/run/steps/tap/switch-port.ts";

const SLOW = `#!/bin/sh
case "$*" in *add-port*) echo >/run/begun; until [ -e /run/go ]; do sleep 0.05; done; echo >/run/done ;; esac
`;
const port = { bridge: "ovsbr0", guestMac: "52:54:00:00:00:01", guestUuid: "1", interfaceId: "2" };

async function addPort(): Promise<void> {
  const tap = {
    name: "vnet0",
    netdev: "hostnet0",
    queues: ["a"],
    vhosts: [],
    hasHeader: false,
    isMade: true,
  };
  openTap(tap);
  await setUpTap(makeLinuxHost(), { name: "vnet0", mac: "fe:54:00:00:00:01", port });
}

async function killIt(): Promise<void> {
  Bun.spawnSync(["mount", "-t", "tmpfs", "tmpfs", "/run"]);
  writeFileSync("/run/slow", SLOW);
  chmodSync("/run/slow", 0o755);
  Bun.spawnSync(["mount", "--bind", "/run/slow", "/usr/bin/ovs-vsctl"]);
  const svirt = Bun.spawn([process.execPath, import.meta.path, "add"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (let tries = 0; tries < 300 && !existsSync("/run/begun"); tries += 1) await Bun.sleep(50);
  svirt.kill("SIGKILL");
  await svirt.exited;
  await Bun.sleep(500);
  writeFileSync("/run/go", "");
  await Bun.sleep(2000);
  process.stdout.write(
    JSON.stringify({ hasBegun: existsSync("/run/begun"), isDone: existsSync("/run/done") }),
  );
}

if (process.argv[2] === "add") await addPort();
else await killIt();
