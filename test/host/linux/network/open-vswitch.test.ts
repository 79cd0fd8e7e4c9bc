import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { inOwnNetwork } from "./in-own-network.ts";

const PROGRAMS = ["ovs-vsctl", "ovs-vswitchd", "ovsdb-server", "ovsdb-tool"];
const isReady =
  process.getuid?.() === 0 &&
  existsSync("/dev/net/tun") &&
  PROGRAMS.every((name) => Bun.which(name) !== null) &&
  Bun.spawnSync(["unshare", "-n", "-m", "ip", "link"]).success;

test.skipIf(!isReady)(
  "the program that changes Open vSwitch ends with svirt",
  async () => {
    expect(await inOwnNetwork("switch-killed-in-network.ts")).toEqual({
      errors: "",
      facts: { hasBegun: true, isDone: false },
    });
  },
  30_000,
);

test.skipIf(!isReady)(
  `taps join a real Open vSwitch in their VLANs alone, and their ports are removed, also from one that does not run${isReady ? "" : " (skipped: needs root, /dev/net/tun, ip and openvswitch-switch)"}`,
  async () => {
    const { errors, facts } = await inOwnNetwork("switch-in-network.ts");
    expect(errors).toBe("");
    expect(facts).toEqual({
      ports: "vnet0 vnet1 vnet2 vnet3",
      held: ["patch0", "bond0"].map(
        (name) =>
          `Unable to add port ${name} to OVS bridge ovsbr0: Open vSwitch has a port of that name that is not a guest's`,
      ),
      other: "bond0 patch0",
      tags: ["7 []", "7 []", "8 []", "[] [7, 8]"],
      transient: '"true"',
      // As ovs-vsctl shows the map that libvirt's command makes.
      ids: [
        [
          [
            "map",
            [
              ["attached-mac", "52:54:00:00:00:00"],
              ["iface-id", "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa40"],
              ["iface-status", "active"],
              ["port-profile", `a "b", c=d \\`],
              ["vm-id", "c7a5fdbd-edaf-9455-926a-d65c16db1809"],
            ],
          ],
        ],
      ],
      mtu: "1300",
      isUp: true,
      sameVlan: "hello, neighbour",
      otherVlan: "nothing",
      missingBridge: "Unable to add port vnet0 to OVS bridge ovsbr9: ovs-vsctl: no bridge named ovsbr9",
      portsAfterFailure: "vnet0 vnet1 vnet2 vnet3",
      dashed: ["", "-x vnet0 vnet1 vnet2 vnet3"],
      another: "vnet0 vnet1 vnet2 vnet3",
      afterEnd: "vnet3",
      withoutSwitch: "",
      late: "Unable to add port vnet4 to OVS bridge ovsbr0: ovs-vswitchd does not answer",
      afterLate: "",
      withoutDatabase: [
        "Unable to add port vnet5 to OVS bridge ovsbr0: ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed (Connection refused)",
        "Unable to delete port vnet5 from OVS: its database does not answer",
      ],
    });
  },
  90_000,
);
