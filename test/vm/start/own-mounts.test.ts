import { describe, expect, test } from "bun:test";
import { readRecord } from "../../../src/state/record.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { destroyPool } from "../../../src/vm/pool/start-pool.ts";
import { recoverGuest } from "../../../src/vm/recover/recover.ts";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { commitOn, takeOn } from "../../scenes/block.ts";
import { deviceOf } from "../../scenes/hotplug.ts";
import { EXPORT, LABELS, makeSharedStorage, NET, OWN_DISKS } from "../../scenes/mounted-pools.ts";
import {
  diskXml,
  domainXml,
  errorOf,
  failedStart,
  labelOf,
  nodeOn,
  OTHER,
  staticLabel,
  UUID,
} from "../../scenes/scene.ts";
import { endUnseen } from "../../scenes/strikes.ts";

const [DISK, OTHERS] = OWN_DISKS;
const PRIVATE = /^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/;
const one = domainXml({ disks: diskXml(DISK, "vda") });
const two = domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(OTHERS, "vda") });
const QCOW = `${NET}/one/disk.qcow2`;
const ASK = { key: "vm1", options: { live: true }, isDryRun: false } as const;

function mountsOf(machine: Machine) {
  return machine.mounts.list().map(({ context, path, source }) => [path, source, context]);
}

const POOL = [NET, EXPORT, LABELS.content];

describe("a guest whose disk is on a server without labels, in a folder of its own", () => {
  test("gets a mount of that folder with its label, and loses it at its end", async () => {
    const machine = await makeSharedStorage();
    const before = snapshot(machine);
    await startDomain(nodeOn(machine), one);
    const label = readRecord(nodeOn(machine), UUID)?.label.imageLabel ?? "";
    expect(label).toMatch(PRIVATE);
    expect(mountsOf(machine)).toEqual([POOL, [`${NET}/one`, `${EXPORT}/one`, label]]);
    expect([labelOf(machine, DISK), labelOf(machine, OTHERS)]).toEqual([label, LABELS.content]);
    expect(machine.mounts.orders.at(-1)?.flags).toEqual(["nosuid", "nodev", "noexec"]);
    expect(machine.mounts.orders.at(-1)?.attempts[0]?.options).toEqual([
      "vers=4.2",
      "nosharecache",
      `context=${label}`,
    ]);
    await destroyDomain(nodeOn(machine), "vm1");
    expect([mountsOf(machine), machine.violations]).toEqual([[POOL], []]);
    expect(withoutReason(machine)).toEqual(before);
  });

  test("runs beside another one, each with its own label on its own folder", async () => {
    const machine = await makeSharedStorage();
    await startDomain(nodeOn(machine), one);
    await startDomain(nodeOn(machine), two);
    const [first, second] = [labelOf(machine, DISK), labelOf(machine, OTHERS)];
    expect([first, second]).toEqual([expect.stringMatching(PRIVATE), expect.stringMatching(PRIVATE)]);
    expect(first).not.toBe(second);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(mountsOf(machine)).toEqual([POOL, [`${NET}/two`, `${EXPORT}/two`, second]]);
    await destroyDomain(nodeOn(machine), "vm2");
    expect(mountsOf(machine)).toEqual([POOL]);
  });

  test("loses the mount when it ends by itself, and starts again", async () => {
    const machine = await makeSharedStorage();
    await startDomain(nodeOn(machine), one);
    endUnseen(machine);
    await recoverGuest(nodeOn(machine), UUID);
    expect(mountsOf(machine)).toEqual([POOL]);
    await startDomain(nodeOn(machine), one);
    expect(mountsOf(machine)).toHaveLength(2);
  });

  test("gets a mount with its static label, and none if the pool's files have that label", async () => {
    const seclabel = staticLabel("s0:c10,c20");
    const machine = await makeSharedStorage();
    const xml = domainXml({ disks: diskXml(DISK, "vda"), seclabel });
    await startDomain(nodeOn(machine), xml);
    expect(mountsOf(machine)).toEqual([POOL, [`${NET}/one`, `${EXPORT}/one`, LABELS.guest]]);
    const same = await makeSharedStorage(LABELS.guest);
    await startDomain(nodeOn(same), xml);
    expect(mountsOf(same)).toEqual([[NET, EXPORT, LABELS.guest]]);
  });

  test("keeps another guest from its folder while the server has not answered yet", async () => {
    const machine = await makeSharedStorage();
    const node = nodeOn(machine);
    const { openMount } = node.host;
    const reading = domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(DISK, "vda", "<readonly/>") });
    node.host.openMount = async (order) => {
      expect((await errorOf(startDomain(nodeOn(machine), reading))).kind).toBe("in-use");
      return await openMount(order);
    };
    await startDomain(node, one);
    expect(mountsOf(machine)).toHaveLength(2);
  });

  test("keeps the pool mounted, and is named by the refusal", async () => {
    const machine = await makeSharedStorage();
    await startDomain(nodeOn(machine), one);
    const { kind, message } = await errorOf(destroyPool(nodeOn(machine), "net"));
    expect([kind, message]).toEqual(["in-use", expect.stringContaining("the guest vm1 uses")]);
    await destroyDomain(nodeOn(machine), "vm1");
    await destroyPool(nodeOn(machine), "net");
    expect(mountsOf(machine)).toEqual([]);
  });

  test("is planned with the mount, and nothing changes", async () => {
    const machine = await makeSharedStorage();
    const before = snapshot(machine);
    const orders = machine.mounts.orders.length;
    const steps = await planDomainStart(nodeOn(machine), one);
    expect(steps.find((step) => step.do === "mount-folder")).toMatchObject({
      path: `${NET}/one`,
      source: `${EXPORT}/one`,
      label: expect.stringMatching(PRIVATE),
    });
    expect([snapshot(machine), machine.mounts.orders.length]).toEqual([before, orders]);
  });
});

/**
 * Returns the snapshot without the reason why the guest ended, which a start that never was does not have.
 */
function withoutReason(machine: Machine): string[] {
  return snapshot(machine).filter((line) => !line.includes("/run/svirt/ended"));
}

describe("a guest whose disk is on a server without labels is refused", () => {
  test("if the disk is in no folder of its own", async () => {
    const machine = await makeSharedStorage();
    machine.files.put(`${NET}/disk.img`, "file").xattrs.set("security.selinux", LABELS.content);
    const { kind, message, remedy } = await failedStart(machine, {
      disks: diskXml(`${NET}/disk.img`, "vda"),
    });
    expect([kind, message]).toEqual([
      "denied",
      `Cannot label ${NET}/disk.img: its file system stores no labels, and it is in no folder of its own, which svirt could mount for the guest alone`,
    ]);
    expect(remedy).toContain(`below ${NET}`);
  });

  test("if another guest, or another definition, has a file in the folder", async () => {
    const machine = await makeSharedStorage();
    const reading = diskXml(DISK, "vda", "<readonly/>");
    await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, disks: reading }));
    expect((await failedStart(machine, { disks: diskXml(DISK, "vda") })).message).toContain(
      "'vm2' has a file in it",
    );
    await destroyDomain(nodeOn(machine), "vm2");
    const iso = `${NET}/one/other.iso`;
    await defineDomain(
      nodeOn(machine),
      domainXml({ name: "vm3", uuid: OTHER, disks: diskXml(iso, "vda", "<readonly/>") }),
    );
    const { kind, message } = await failedStart(machine, { disks: diskXml(DISK, "vda") });
    expect([kind, message]).toEqual(["in-use", expect.stringContaining("'vm3' has a file in it")]);
  });

  test("if the disk is a hard link of another guest's", async () => {
    const machine = await makeSharedStorage();
    machine.files.get(`${NET}/two`).entries.set("disk.img", machine.files.get(DISK));
    await startDomain(nodeOn(machine), one);
    const other = { name: "vm2", uuid: OTHER, disks: diskXml(OTHERS, "vda") };
    expect((await failedStart(machine, other)).kind).toBe("in-use");
  });

  test("if a disk that guests share is in its folder", async () => {
    const machine = await makeSharedStorage();
    const shared = machine.files.put(`${NET}/one/shared.raw`, "file");
    shared.xattrs.set("security.selinux", LABELS.content);
    const disks = diskXml(DISK, "vda") + diskXml(`${NET}/one/shared.raw`, "vdb", "<shareable/>");
    const { kind, message } = await failedStart(machine, { disks });
    expect([kind, message]).toEqual([
      "denied",
      expect.stringContaining(
        `Cannot label ${NET}/one/shared.raw system_u:object_r:svirt_image_t:s0: svirt mounts`,
      ),
    ]);
  });

  test("if the server has another folder there now", async () => {
    const machine = await makeSharedStorage();
    const node = nodeOn(machine);
    const { openMount } = node.host;
    node.host.openMount = async (order) => ({ ...(await openMount(order)), inode: "1" });
    const { kind, message } = await errorOf(startDomain(node, one));
    expect([kind, message]).toEqual([
      "denied",
      `Cannot mount ${EXPORT}/one for the guest: it is another folder than ${NET}/one`,
    ]);
    expect([mountsOf(machine), readRecord(node, UUID)]).toEqual([[POOL], undefined]);
  });

  test("if the server refuses the mount, or gives it another label", async () => {
    const machine = await makeSharedStorage();
    machine.mounts.fail = ({ source }) => {
      if (source !== EXPORT) throw new Error("Same superblock, different security settings");
    };
    const refused = await failedStart(machine, { disks: diskXml(DISK, "vda") });
    expect([refused.kind, refused.message]).toEqual(["denied", expect.stringContaining("Same superblock")]);
    machine.mounts.fail = () => undefined;
    machine.mounts.ignoresContext = true;
    const { kind, message } = await failedStart(machine, { disks: diskXml(DISK, "vda") });
    expect([kind, message]).toEqual([
      "denied",
      expect.stringContaining(`its files have ${LABELS.content} instead`),
    ]);
    expect(mountsOf(machine)).toEqual([POOL]);
  });
});

describe("a running guest with a mount of its own", () => {
  test("gets another disk and a CD-ROM from its folder, with its label", async () => {
    const machine = await makeSharedStorage();
    for (const name of ["second.img", "install.iso"])
      machine.files.put(`${NET}/one/${name}`, "file", { bytes: new Uint8Array(512) });
    await startDomain(nodeOn(machine), one);
    const label = labelOf(machine, DISK);
    await attachDevice(nodeOn(machine), ASK, deviceOf(diskXml(`${NET}/one/second.img`, "vdb")));
    await attachDevice(
      nodeOn(machine),
      ASK,
      deviceOf(diskXml(`${NET}/one/install.iso`, "vdc", "<readonly/>")),
    );
    expect([labelOf(machine, `${NET}/one/second.img`), labelOf(machine, `${NET}/one/install.iso`)]).toEqual([
      label,
      label,
    ]);
    await destroyDomain(nodeOn(machine), "vm1");
    expect([mountsOf(machine), machine.violations]).toEqual([[POOL], []]);
  });

  test("is refused a disk from elsewhere on the server", async () => {
    const machine = await makeSharedStorage();
    await startDomain(nodeOn(machine), one);
    const { kind, message } = await errorOf(
      attachDevice(nodeOn(machine), ASK, deviceOf(diskXml(OTHERS, "vdb"))),
    );
    expect([kind, message]).toEqual(["denied", expect.stringContaining("its file system stores no labels")]);
  });

  test("keeps the label on all images of its folder after a snapshot, and during a commit", async () => {
    const machine = await makeSharedStorage();
    const xml = domainXml({ disks: diskXml(QCOW, "vda") });
    machine.files.put(QCOW, "file", { bytes: qcow2Bytes({}) }).xattrs.set("security.selinux", LABELS.content);
    await defineDomain(nodeOn(machine), xml);
    await startDomain(nodeOn(machine), xml);
    await takeOn(nodeOn(machine));
    const label = labelOf(machine, QCOW);
    expect(label).toMatch(PRIVATE);
    expect(readRecord(nodeOn(machine), UUID)?.change).toBeUndefined();
    await commitOn(nodeOn(machine));
    expect(labelOf(machine, QCOW)).toBe(label);
    await destroyDomain(nodeOn(machine), "vm1");
    expect([mountsOf(machine), machine.violations]).toEqual([[POOL], []]);
  });

  test("has the backing image that is in its folder as its own", async () => {
    const machine = await makeSharedStorage();
    const overlay = qcow2Bytes({ backingFile: "disk.img", extensions: [[0xe2792aca, "raw"]] });
    machine.files.put(QCOW, "file", { bytes: overlay }).xattrs.set("security.selinux", LABELS.content);
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(QCOW, "vda") }));
    expect([labelOf(machine, DISK), labelOf(machine, QCOW)]).toEqual([
      expect.stringMatching(PRIVATE),
      labelOf(machine, DISK),
    ]);
  });
});
