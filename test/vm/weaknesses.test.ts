import { describe, expect, test } from "bun:test";
import type { FileAttributes } from "../../src/host/file-attributes.ts";
import type { Host } from "../../src/host/host.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { saveDomain } from "../../src/vm/save/save-domain.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { qcow2Bytes } from "../images/qcow2-bytes.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import {
  ALL_KINDS,
  diskXml,
  domainXml,
  errorOf,
  failedStart,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  OTHER,
  reapAll,
  staticLabel,
  sweepAll,
  UUID,
} from "../scenes/scene.ts";

/** Weaknesses observed in libvirt, by their numbers in docs/weaknesses.md. */

const DISK = "/var/lib/images/private1.raw";
const DISKS = ["private1", "private2", "private3"].map((name) => `/var/lib/images/${name}.raw`);
const THREE = DISKS.map((path, at) => diskXml(path, `vd${"abc"[at]}`)).join("");

async function start(machine: Machine, options: Parameters<typeof domainXml>[0] = {}) {
  return await startDomain(nodeOn(machine), domainXml(options));
}

async function stop(machine: Machine, key = UUID): Promise<void> {
  await destroyDomain(nodeOn(machine), key);
  await reapAll(machine);
}

const labelsOf = (machine: Machine, paths: readonly string[]) => paths.map((path) => labelOf(machine, path));

test("weakness 1: a boot time that jitters forgets no original, and takes no label off a guest that runs", async () => {
  const machine = makeMachine();
  const before = snapshot(machine);
  await start(machine, { disks: diskXml(DISK, "vda") });
  const label = labelOf(machine, DISK);
  for (const jitter of [1, -1, 1, -1, -1, 1]) {
    machine.bootSeconds += jitter;
    await failedStart(machine, { name: "vm2", uuid: OTHER, disks: diskXml(DISK, "vda") });
    expect(labelOf(machine, DISK)).toBe(label);
  }
  machine.bootSeconds += 1;
  await stop(machine);
  expect(snapshot(machine)).toEqual(before);
});

test("weakness 2: a pair is free again when its guest is gone, and with none left a start ends at once", async () => {
  const machine = makeMachine();
  machine.ownContext = "system_u:system_r:svirt_manager_t:s0-s0:c0.c7";
  const guest = (at: number) => ({
    name: `vm${at}`,
    uuid: `33333333-2222-4333-8444-${String(at).padStart(12, "0")}`,
  });
  for (let at = 1; at <= 60; at += 1) {
    await start(machine, guest(at));
    await stop(machine, guest(at).uuid);
  }
  for (let at = 1; at <= 28; at += 1) await start(machine, guest(at));
  const error = await failedStart(machine, guest(29));
  expect(error.message).toBe("Cannot choose a level: all 28 pairs of categories are in use");
});

describe("weakness 3: no second guest takes the label off a running guest's disk", () => {
  const overlay = "/var/lib/images/over.qcow2";

  test.each([
    ["readonly", diskXml(DISK, "vda", "<readonly/>")],
    ["shareable", diskXml(DISK, "vda", "<shareable/>")],
    ["a backing file", diskXml(overlay, "vda")],
  ])("by having it as %s", async (_, disks) => {
    const machine = makeMachine();
    const bytes = qcow2Bytes({ backingFile: "private1.raw", extensions: [[0xe2792aca, "raw"]] });
    machine.files.put(overlay, "file", { bytes });
    await start(machine, { disks: diskXml(DISK, "vda") });
    const label = labelOf(machine, DISK);
    expect((await failedStart(machine, { name: "vm2", uuid: OTHER, disks })).kind).toBe("in-use");
    expect(labelOf(machine, DISK)).toBe(label);
    await stop(machine);
    expect(labelOf(machine, DISK)).toBe(ORIGINAL);
  });
});

test("weakness 4: a label that cannot be put back keeps no other from it, and is put back by the next svirt", async () => {
  const rehearsal = makeMachine();
  await start(rehearsal, { disks: THREE });
  const counting = nodeOn(rehearsal);
  await destroyDomain(counting, UUID);
  const [first = 0] = counting.svirt.changes.flatMap((name, at) => (name === "setXattr" ? [at + 1] : []));
  const machine = makeMachine();
  await start(machine, { disks: THREE });
  const struck = nodeOn(machine, { at: first, moment: "before", how: "fail" });
  expect((await errorOf(destroyDomain(struck, UUID))).message).toContain("EIO");
  expect(labelsOf(machine, DISKS).filter((label) => label === ORIGINAL)).toHaveLength(2);
  struck.svirt.exit();
  await sweepAll(machine);
  expect(labelsOf(machine, DISKS)).toEqual([ORIGINAL, ORIGINAL, ORIGINAL]);
});

describe("weakness 5: the guest starts again at once, and its disks get their own labels in the end", () => {
  test.each([
    ["a loss of power", (machine: Machine) => machine.reboot()],
    [
      "a loss of power, after which the disk bears another number",
      (machine: Machine) => machine.reboot("8:17"),
    ],
    [
      "a loss of power that takes svirt's own records with it, as where they lie in memory",
      (machine: Machine) => {
        machine.reboot();
        machine.files.remove("/var/lib/svirt");
        machine.files.putFolder("/var/lib/svirt");
      },
    ],
    [
      "the death of every process of the guest",
      (machine: Machine) => {
        for (const { pid, role } of machine.processes.list())
          if (role !== "other") machine.processes.end(pid, 137);
        machine.pass(100);
        machine.reaps.splice(0);
      },
    ],
  ])("after %s", async (_, disaster) => {
    const machine = makeMachine();
    await start(machine, { disks: THREE });
    disaster(machine);
    expect((await start(machine, { disks: THREE })).did).toBe(true);
    await stop(machine);
    expect(labelsOf(machine, DISKS)).toEqual([ORIGINAL, ORIGINAL, ORIGINAL]);
  });
});

test("weakness 6: what guests share or only read, and what a serial port writes, is restored as well", async () => {
  const machine = makeMachine();
  const serial = "/var/lib/images/serial.log";
  machine.files.put(serial, "file").xattrs.set("security.selinux", ORIGINAL);
  const before = snapshot(machine);
  const devices = `<serial type='file'><source path='${serial}'/></serial>`;
  await start(machine, { disks: ALL_KINDS, devices });
  expect(labelOf(machine, "/var/lib/images/base.raw")).not.toBe(ORIGINAL);
  expect(labelOf(machine, serial)).not.toBe(ORIGINAL);
  await stop(machine);
  expect(snapshot(machine)).toEqual(before);
});

test("weakness 6: a save image has no guest's label, and one that has is given another when it is written anew", async () => {
  const [machine, file] = [makeMachine(), "/var/lib/images/vm1.save"];
  machine.files.put(file, "file").xattrs.set("security.selinux", "system_u:object_r:svirt_image_t:s0:c1,c2");
  await start(machine, { disks: THREE });
  await saveDomain(nodeOn(machine), UUID, { path: file, resumes: undefined });
  await reapAll(machine);
  expect(labelOf(machine, file)).not.toMatch(/:c\d+,c\d+$/);
});

describe("weakness 7: a pair is nobody else's", () => {
  const preferred = async (): Promise<string> => {
    const { guest } = await start(makeMachine());
    return guest.label.label?.split(":").slice(3).join(":") ?? "";
  };

  test("when a definition with a static label names it", async () => {
    const machine = makeMachine();
    const seclabel = staticLabel(await preferred());
    await defineDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, seclabel }));
    expect((await start(machine)).guest.label.label).not.toEndWith(`:${await preferred()}`);
  });

  test("when a static label asks for that of a guest that runs", async () => {
    const machine = makeMachine();
    await start(machine);
    const options = { name: "vm2", uuid: OTHER, seclabel: staticLabel(await preferred()) };
    expect((await failedStart(machine, options)).kind).toBe("in-use");
  });

  test("when a container or a guest of another tool runs in it", async () => {
    const machine = makeMachine();
    machine.processes.add({ context: `system_u:system_r:container_t:${await preferred()}` });
    expect((await start(machine)).guest.label.label).not.toEndWith(`:${await preferred()}`);
  });

  test("when another svirt starts another guest at the same time", async () => {
    const machine = makeMachine();
    machine.ownContext = "system_u:system_r:svirt_manager_t:s0-s0:c0.c7";
    const guests = await Promise.all(
      Array.from({ length: 28 }, (_, at) =>
        start(machine, { name: `vm${at}`, uuid: `33333333-2222-4333-8444-${String(at).padStart(12, "0")}` }),
      ),
    );
    expect(new Set(guests.map(({ guest }) => guest.label.label)).size).toBe(28);
    expect(machine.violations).toEqual([]);
  });
});

describe("weakness 8: what is written is done or refused, never read over", () => {
  const BASE = "<baselabel>system_u:system_r:svirt_tcg_t:s0</baselabel>";

  test("a base label counts without a type beside it", async () => {
    const { guest } = await start(makeMachine(), {
      seclabel: `<seclabel model='selinux'>${BASE}</seclabel>`,
    });
    expect(guest.label.label).toStartWith("system_u:system_r:svirt_tcg_t:s0:c");
  });

  test("a label for one disk counts without a model beside it", async () => {
    const machine = makeMachine();
    const disks = diskXml(DISK, "vda").replace(
      "'/><target",
      "'><seclabel><label>system_u:object_r:own_t:s0</label></seclabel></source><target",
    );
    await start(machine, { disks });
    expect(labelOf(machine, DISK)).toBe("system_u:object_r:own_t:s0");
  });

  test.each([
    [
      "relabel='no' without a type",
      "<seclabel model='selinux' relabel='no'/>",
      "dynamic label type must use resource relabeling",
    ],
    [
      "a model that svirt does not implement",
      "<seclabel type='dynamic' model='smack'/>",
      "Security driver model 'smack' is not available",
    ],
    [
      "a label that the policy does not know",
      staticLabel("s0:c1,c2").replace("svirt_t", "unknown_t"),
      "Invalid security label",
    ],
  ])("%s is refused", async (_, seclabel, words) => {
    const machine = makeMachine();
    const before = snapshot(machine);
    expect((await errorOf(start(machine, { disks: diskXml(DISK, "vda"), seclabel }))).message).toContain(
      words,
    );
    expect(snapshot(machine)).toEqual(before);
  });

  test("labelskip is refused, and so is an unknown model where the domain is only defined", async () => {
    const disks = diskXml(DISK, "vda").replace("'/><target", "'><seclabel labelskip='yes'/></source><target");
    expect((await errorOf(start(makeMachine(), { disks }))).message).toContain("labelskip");
    const xml = domainXml({ seclabel: "<seclabel type='dynamic' model='smack'/>" });
    expect((await errorOf(defineDomain(nodeOn(makeMachine()), xml))).kind).toBe("unsupported");
  });
});

test("weakness 9: owner and mode of a device stay as udev gave them, so that no event of it takes the label off", async () => {
  const machine = makeMachine();
  const { mode, uid } = machine.files.get("/dev/vdb");
  await start(machine, { disks: ALL_KINDS });
  expect(labelOf(machine, "/dev/vdb")).toStartWith("system_u:object_r:svirt_image_t:s0:c");
  expect(machine.files.get("/dev/vdb")).toMatchObject({ mode, uid });
  await stop(machine);
  expect(machine.files.get("/dev/vdb")).toMatchObject({ mode, uid });
});

test("weakness 10: a folder that a guest shares is labelled with all below it, and all gets its label back", async () => {
  const machine = makeMachine();
  machine.files.putFolder("/srv/all").xattrs.set("security.selinux", ORIGINAL);
  machine.files.put("/srv/all/file", "file");
  const before = snapshot(machine);
  const devices = "<filesystem accessmode='mapped'><source dir='/srv/all'/><target dir='all'/></filesystem>";
  await start(machine, { devices });
  for (const label of labelsOf(machine, ["/srv/all", "/srv/all/file"]))
    expect(label).toStartWith("system_u:object_r:svirt_folder_t:s0:c");
  await stop(machine);
  expect(snapshot(machine)).toEqual(before);
});

test("weakness 11: a disk on a file system without labels is refused, with what to do", async () => {
  const machine = makeMachine();
  const fileSystem = { device: "0:55", keepsLabels: false };
  machine.files.put("/srv", "folder", { fileSystem, mode: 0o755 });
  machine.files.put("/srv/nfs.raw", "file", { bytes: new Uint8Array(4096) });
  const error = await failedStart(machine, { disks: diskXml("/srv/nfs.raw", "vda") });
  expect(error.kind).toBe("denied");
  expect(error.message).toStartWith("Cannot label /srv/nfs.raw: its file system stores no labels");
  expect(error.remedy).toContain("context=");
});

test("weakness 12: where no trusted attribute can be set, the record alone knows the originals", async () => {
  const machine = makeMachine();
  const before = snapshot(machine);
  const contained = () => {
    const node = nodeOn(machine);
    const without = (file: FileAttributes): FileAttributes => ({
      ...file,
      setXattr: (name, value) => !name.startsWith("trusted.") && file.setXattr(name, value),
    });
    const host: Host = {
      ...node.host,
      withInspected: (path, use) =>
        node.host.withInspected(path, (file) => use({ ...file, ...without(file) })),
      withAttributes: (file, use) => node.host.withAttributes(file, (attributes) => use(without(attributes))),
    };
    return { ...node, host };
  };
  await startDomain(contained(), domainXml({ disks: ALL_KINDS }));
  expect(snapshot(machine).filter((line) => line.includes("trusted."))).toEqual([]);
  const shared = domainXml({
    name: "vm2",
    uuid: OTHER,
    disks: diskXml("/var/lib/images/install.iso", "vda", "<readonly/>"),
  });
  await startDomain(contained(), shared);
  await destroyDomain(contained(), UUID);
  await destroyDomain(contained(), OTHER);
  await reapAll(machine);
  expect(snapshot(machine)).toEqual(before);
});
