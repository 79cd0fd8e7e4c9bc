import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { makeScsiMachine } from "../scenes/devices.ts";
import { domainXml, errorOf, nodeOn, OTHER, putText } from "../scenes/scene.ts";

/** Identifier in the form of the kernel, scsi_vpd_lun_id() of Linux. */
const NAA = "naa.600140512345678901234567890abcde";

/** Gives the disks sdb (8:16) and sdd (8:48) an identifier, where sysfs has it. */
function machineWith(identifiers: Readonly<Record<"sdb" | "sdd", string>>): Machine {
  const machine = makeScsiMachine();
  for (const [name, number] of [
    ["sdb", "8:16"],
    ["sdd", "8:48"],
  ] as const) {
    for (const folder of [`/sys/block/${name}`, `/sys/dev/block/${number}`]) {
      machine.files.putFolder(`${folder}/device`);
      putText(machine, `${folder}/dev`, `${number}\n`);
      putText(machine, `${folder}/device/wwid`, `${identifiers[name]}\n`);
    }
  }
  return machine;
}

const diskOf = (name: string, more = "") =>
  `<disk type='block'><source dev='/dev/${name}'/><target dev='vda'/>${more}</disk>`;

/** Starts a guest with sdb, and then another one with sdd. */
async function startBoth(machine: Machine, more = ""): Promise<void> {
  const node = nodeOn(machine);
  await startDomain(node, domainXml({ disks: diskOf("sdb", more) }));
  await startDomain(node, domainXml({ name: "vm2", uuid: OTHER, disks: diskOf("sdd", more) }));
}

describe("two guests with one logical unit by two names", () => {
  test("are refused the second start, until the first one has ended", async () => {
    const machine = machineWith({ sdb: NAA, sdd: NAA });
    const error = await errorOf(startBoth(machine));
    expect([error.kind, error.message]).toEqual([
      "in-use",
      "Cannot give /dev/sdd to the guest: the guest vm1 uses its other path /dev/sdb",
    ]);
    await destroyDomain(nodeOn(machine), "vm1");
    await startDomain(nodeOn(machine), domainXml({ disks: diskOf("sdd") }));
  });

  test("start if both have it shareable, with one label", async () => {
    await startBoth(machineWith({ sdb: NAA, sdd: NAA }), "<shareable/>");
  });

  test("are refused both while the host uses one of the names", async () => {
    const machine = machineWith({ sdb: NAA, sdd: NAA });
    machine.files.putFolder("/sys/block/sdd/holders/md0");
    const error = await errorOf(startDomain(nodeOn(machine), domainXml({ disks: diskOf("sdb") })));
    expect(error.message).toContain("the host uses its other path /dev/sdd");
  });
});

test.each([
  ["of others", { sdb: NAA, sdd: NAA.replace("e", "f") }],
  // QEMU's emulated disks without a serial number.
  ["that several units may have", { sdb: "t10.QEMU QEMU HARDDISK", sdd: "t10.QEMU QEMU HARDDISK" }],
  ["of zeros", { sdb: "eui.0000000000000000", sdd: "eui.0000000000000000" }],
  ["that are missing", { sdb: "", sdd: "" }],
])("guests with disks whose identifiers are those %s start", async (_, identifiers) => {
  const machine = machineWith(identifiers);
  await startBoth(machine);
  expect(machine.liveGuests()).toHaveLength(2);
});
