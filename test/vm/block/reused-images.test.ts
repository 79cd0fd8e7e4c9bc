import { describe, expect, test } from "bun:test";
import type { Instance } from "../../../src/state/instance.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { createSnapshot } from "../../../src/vm/snapshot/create-snapshot.ts";
import { extension, qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { copyOn, IMAGES, machineWithChain, takeOn } from "../../scenes/block.ts";
import { expectRefused } from "../../scenes/block-checks.ts";
import { ENCRYPTION, machineWithLuks, machineWithVolume, withQuickKeys } from "../../scenes/luks.ts";
import { diskXml, domainXml, makeMachine, nodeOn, ORIGINAL, UUID } from "../../scenes/scene.ts";

const MADE = `${IMAGES}/made.qcow2`;
const VICTIM = `${IMAGES}/victim.raw`;
/** Bit of a header whose data is in another file. qemu.git docs/interop/qcow2.rst */
const EXTERNAL_DATA = 4n;
const LUKS = 2;

interface Case {
  readonly prepare: () => Promise<Machine>;
  readonly work: (node: Instance) => Promise<unknown>;
  readonly below: string;
  readonly format: string;
  readonly encryption?: number;
}

const over = (encryption?: typeof ENCRYPTION) => ({
  disks: [{ name: "vda", snapshot: "external", driver: undefined, file: MADE, encryption }],
  reuses: true,
});
const takeOff = (encryption?: typeof ENCRYPTION) => (node: Instance) =>
  createSnapshot(node, UUID, {
    snapshot: { name: "s1", flags: { isDiskOnly: true, isKept: false, reuses: true }, ...over(encryption) },
  });
const copy = (node: Instance): Promise<void> => copyOn(node, { dest: MADE, isShallow: true, reuses: true });

async function machineThatIsOff(): Promise<Machine> {
  const machine = makeMachine();
  await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/top.qcow2`, "vda") }));
  return machine;
}

/** Puts an encrypted overlay on a disk of a guest. */
async function cover(machine: Machine, name = "vda"): Promise<Machine> {
  const disks = over(ENCRYPTION).disks.map((disk) => ({ ...disk, name, file: `${IMAGES}/top.new` }));
  const others = name === "vda" ? [] : [{ name: "vda", snapshot: "no", driver: undefined, file: undefined }];
  await takeOn(withQuickKeys(nodeOn(machine)), { disks: [...others, ...disks] });
  return machine;
}

const LUKS_BELOW = { below: `${IMAGES}/a.luks`, format: "luks", encryption: LUKS };
const PLAIN_BELOW = { below: `${IMAGES}/top.qcow2`, format: "qcow2" };
const CASES: readonly (readonly [string, Case])[] = [
  [
    "a snapshot of an encrypted disk",
    { prepare: machineWithLuks, work: (node) => takeOn(node, over(ENCRYPTION)), ...LUKS_BELOW },
  ],
  ["one of a domain that is off", { prepare: machineWithVolume, work: takeOff(ENCRYPTION), ...LUKS_BELOW }],
  [
    "a shallow copy above an encrypted image",
    {
      prepare: async () => cover(await machineWithLuks()),
      work: copy,
      below: `${IMAGES}/a.luks`,
      format: "luks",
    },
  ],
  [
    "a snapshot of a disk that is not encrypted",
    { prepare: machineWithChain, work: (node) => takeOn(node, over()), ...PLAIN_BELOW },
  ],
  ["one of such a domain that is off", { prepare: machineThatIsOff, work: takeOff(), ...PLAIN_BELOW }],
  [
    "a shallow copy above an image that is not encrypted",
    { prepare: machineWithChain, work: copy, below: `${IMAGES}/base.raw`, format: "raw" },
  ],
];

describe("an existing image whose header names a file for its data", () => {
  test.each(CASES)("is refused for %s: QEMU would open that file by its name", async (...[, one]) => {
    const { below, encryption, format, prepare, work } = one;
    const machine = await prepare();
    const bytes = qcow2Bytes({
      backingFile: below,
      features: EXTERNAL_DATA,
      extensions: [
        [extension.backingFormat, format],
        [extension.dataFile, VICTIM],
      ],
      ...(encryption === undefined ? {} : { encryption }),
    });
    machine.files.put(MADE, "file", { bytes }).xattrs.set("security.selinux", ORIGINAL);
    machine.files.put(VICTIM, "file", { bytes: new Uint8Array(4096) });
    const before = snapshot(machine);
    const refused = `Cannot use ${MADE}: its header names the data file ${VICTIM}`;
    await expectRefused(machine, work(withQuickKeys(nodeOn(machine))), refused);
    expect(snapshot(machine)).toEqual(before);
  });
});

test("the images below a copy must have headers that a start can follow if only the disk's own image is encrypted", async () => {
  const machine = await cover(await machineWithLuks(diskXml(`${IMAGES}/top.qcow2`, "vdb")), "vdb");
  // It names an image with another below, and not its format.
  const bytes = qcow2Bytes({ backingFile: `${IMAGES}/top.qcow2` });
  machine.files.put(MADE, "file", { bytes }).xattrs.set("security.selinux", ORIGINAL);
  const refused = `${MADE} does not record the format of ${IMAGES}/top.qcow2, which names another file`;
  const again = copyOn(nodeOn(machine), { path: "vdb", dest: MADE, isShallow: true, reuses: true });
  await expectRefused(machine, again, refused);
});
