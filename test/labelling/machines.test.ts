import { describe, expect, test } from "bun:test";
import { showLabel } from "../../src/labelling/show-label.ts";
import { UNKNOWN_MACHINE } from "../../src/run/labels/machine-marks.ts";
import { recoverAll } from "../../src/vm/recover/recover.ts";
import {
  CLUSTER,
  DISK,
  endOn,
  FOLDER,
  KINDS,
  makeMachines,
  marksOn,
  NFS_PLAIN,
  NFS_WITH_MARKS,
  NOT_KNOWN,
  powerFailure,
  putShared,
  release,
  run,
  startOn,
} from "../scenes/machines.ts";
import { diskXml, errorOf, labelOf, nodeOn, ORIGINAL, OTHER, staticLabel } from "../scenes/scene.ts";

const MARKED = KINDS.filter(([, { marks }]) => marks !== "none");
const another = { name: "vm2", uuid: OTHER };

describe.each(KINDS)("two machines on %s", (_, kind) => {
  test("another guest is not started with a disk that a guest of the other machine has", async () => {
    const { a, b } = makeMachines(kind);
    await startOn(a);
    const during = labelOf(a, DISK);
    const error = await errorOf(startOn(b, another));
    expect([error.kind, labelOf(a, DISK)]).toEqual(["in-use", during ?? ""]);
    expect(during).toContain(":svirt_image_t:s0:c");
    expect(error.message).toContain(`Cannot label ${DISK}`);
    expect(error.remedy).toContain(`svirt label release ${DISK} --machine `);
  });

  test("the same guest is not started there either", async () => {
    const { a, b } = makeMachines(kind);
    await startOn(a);
    expect((await errorOf(startOn(b))).kind).toBe("in-use");
  });

  test("a machine that comes back leaves the label of the guest that went on elsewhere", async () => {
    const { a, b } = makeMachines(kind);
    await startOn(a);
    await release(b, kind.marks === "none" ? UNKNOWN_MACHINE : a.id);
    expect(labelOf(b, DISK)).toBe(ORIGINAL);
    await startOn(b);
    const during = labelOf(b, DISK);
    await powerFailure(a);
    expect(labelOf(b, DISK)).toBe(during);
    expect(during).toContain(":svirt_image_t:s0:c");
    await endOn(b);
    expect(labelOf(b, DISK)).toBe(ORIGINAL);
  });

  test("the label comes back when the guest ends, and no mark stays", async () => {
    const { a, b } = makeMachines(kind);
    await startOn(a);
    await endOn(a);
    expect([labelOf(a, DISK), marksOn(a)]).toEqual([ORIGINAL, []]);
    await startOn(b, another);
    expect(labelOf(b, DISK)).toContain(":svirt_image_t:s0:c");
  });
});

describe.each(MARKED)("marks on %s", (_, kind) => {
  test("a guest that runs on both machines and ends on one keeps its label on the other", async () => {
    const { a, b } = makeMachines(kind);
    await startOn(a);
    // As after a manual migration: the administrator releases A, although A still uses the disk.
    await release(b, a.id);
    await startOn(b);
    const during = labelOf(b, DISK);
    await endOn(a);
    expect([labelOf(b, DISK), marksOn(b)]).toEqual([during ?? "", [b.id]]);
    await endOn(b);
    expect(marksOn(b)).toEqual([]);
  });

  test("name the machine, and who names another one changes nothing", async () => {
    const { a, b } = makeMachines(kind);
    await startOn(a);
    const error = await errorOf(startOn(b, another));
    expect(error.message).toContain(`another machine holds it, ${a.name} (${a.id})`);
    expect(error.remedy).toContain(`--machine ${a.id}`);
    const holders = `it is held by ${a.name} (${a.id})`;
    for (const [wrong, why] of [
      ["elsewhere", "the machine elsewhere does not hold it"],
      [b.id, `the machine ${b.id} does not hold it`],
      [UNKNOWN_MACHINE, "no unknown machine holds it"],
    ] as const) {
      const refused = await errorOf(release(b, wrong));
      expect(refused.kind).toBe("not-found");
      expect(refused.message).toBe(`Cannot release ${DISK}: ${why}; ${holders}`);
    }
    expect(marksOn(b)).toEqual([a.id]);
    await release(b, a.name);
    expect(marksOn(b)).toEqual([]);
  });

  test("of two machines with one name are told apart by their ids alone", async () => {
    const { a, b } = makeMachines(kind);
    await startOn(a);
    const twin = "f".repeat(32);
    const { xattrs } = b.files.get(DISK);
    for (const [name, mark] of [...xattrs])
      if (name.endsWith(`.svirt.machine.${a.id}`)) xattrs.set(name.replace(a.id, twin), mark);
    const { message, remedy } = await errorOf(release(b, a.name));
    expect(message).toBe(
      `Cannot release ${DISK}: several machines that hold it have the name ${a.name}; ` +
        `it is held by ${a.name} (${a.id}), ${a.name} (${twin})`,
    );
    expect(remedy).toBe("Name the machine by its id.");
    await release(b, a.id);
    expect(marksOn(b)).toEqual([twin]);
  });

  test("of this machine from before a power failure are its own: its guest starts anew", async () => {
    const { a } = makeMachines(kind);
    await startOn(a);
    await powerFailure(a);
    await startOn(a, another);
    await endOn(a, "vm2");
    expect(marksOn(a)).toEqual([]);
  });
});

describe("recover after a power failure", () => {
  test.each(KINDS.slice(0, 3))("leaves the label and says so on %s", async (_, kind) => {
    const { a } = makeMachines(kind);
    await startOn(a);
    const during = labelOf(a, DISK);
    const [notice = ""] = await powerFailure(a);
    expect(labelOf(a, DISK)).toBe(during);
    expect(notice).toContain(`${DISK} keeps its label: other machines may have begun to use it, through `);
    expect((await recoverAll(nodeOn(a))).kept).toEqual([]);
    // The notice contains the command that restores the label.
    const { command } = /; if none does, run svirt (?<command>.*)$/.exec(notice)?.groups ?? {};
    expect([await run(a, ...(command ?? "").split(" ")), labelOf(a, DISK), marksOn(a)]).toEqual([
      0,
      ORIGINAL,
      [],
    ]);
  });

  test("gives it back where the kernel knows of no other machine", async () => {
    const { a } = makeMachines(NOT_KNOWN);
    await startOn(a);
    expect(await powerFailure(a)).toEqual([]);
    expect([labelOf(a, DISK), marksOn(a)]).toEqual([ORIGINAL, []]);
  });
});

const CONTENT = "system_u:object_r:virt_content_t:s0";
const reads = { disks: diskXml(DISK, "vda", "<readonly/>") };

describe.each(MARKED)("an image that guests read on %s", (_, kind) => {
  test("is read on both machines, and gets its label back when the last guest is gone", async () => {
    const { a, b } = makeMachines(kind);
    await startOn(a, reads);
    await startOn(b, { ...another, ...reads });
    expect(marksOn(a).toSorted()).toEqual([a.id, b.id].toSorted());
    await endOn(a);
    expect([labelOf(b, DISK), marksOn(b)]).toEqual([CONTENT, [b.id]]);
    await endOn(b, "vm2");
    expect([labelOf(b, DISK), marksOn(b)]).toEqual([kind.marks === undefined ? ORIGINAL : CONTENT, []]);
  });

  test("may not be written by a guest of the other machine", async () => {
    const { a, b } = makeMachines(kind);
    await startOn(a, reads);
    expect((await errorOf(startOn(b, another))).kind).toBe("in-use");
    expect(labelOf(a, DISK)).toBe(CONTENT);
  });
});

describe("what counts as a mark", () => {
  const elsewhere = "f".repeat(32);

  test("is nothing that a guest can write, where no other machine sees the file", async () => {
    const { a } = makeMachines(NOT_KNOWN);
    a.files.get(DISK).xattrs.set(`user.svirt.machine.${elsewhere}`, "boot node9");
    await startOn(a);
    await endOn(a);
    expect(labelOf(a, DISK)).toBe(ORIGINAL);
  });

  test("is that of another machine that is set between the decision and the label: the start is taken back", async () => {
    const { a, b } = makeMachines(CLUSTER);
    const disk = a.files.get(DISK);
    const set = disk.xattrs.set.bind(disk.xattrs);
    // B's mark appears together with A's.
    disk.xattrs.set = (name, value) => {
      if (name === `trusted.svirt.machine.${a.id}`) set(`trusted.svirt.machine.${b.id}`, "boot node-b");
      return set(name, value);
    };
    const error = await errorOf(startOn(a));
    expect([error.kind, labelOf(a, DISK), marksOn(a)]).toEqual(["in-use", ORIGINAL, [b.id]]);
  });

  test("is no mark of an svirt that marked no machines, once the machine was booted", async () => {
    const { a, b } = makeMachines(CLUSTER);
    const { xattrs } = a.files.get(DISK);
    xattrs.set("security.selinux", "system_u:object_r:svirt_image_t:s0:c3,c4");
    xattrs.set("trusted.libvirt.security.selinux", ORIGINAL);
    xattrs.set("trusted.svirt.boot_id", nodeOn(a).host.getBootId());
    b.reboot();
    expect((await errorOf(startOn(b))).message).toContain(
      "of a guest that this machine does not run, and other machines access it by GFS2",
    );
    await startOn(a);
    await endOn(a);
    expect(labelOf(a, DISK)).toBe(ORIGINAL);
  });

  test("needs none where the label is the one that a definition names: its administrator gave it", async () => {
    const { a } = makeMachines(NFS_PLAIN);
    const seclabel = staticLabel("s0:c10,c20");
    a.files.get(DISK).xattrs.set("security.selinux", "system_u:object_r:svirt_image_t:s0:c10,c20");
    await startOn(a, { seclabel });
    await endOn(a);
    expect(labelOf(a, DISK)).toBe("system_u:object_r:svirt_image_t:s0:c10,c20");
  });
});

describe("svirt label", () => {
  test.each(["set", "restore"])("%s leaves what another machine has", async (verb) => {
    const { a, b } = makeMachines(NFS_WITH_MARKS);
    await startOn(a);
    const during = labelOf(a, DISK);
    const words = verb === "set" ? [DISK, ORIGINAL] : [DISK];
    expect([await run(b, "label", verb, ...words), labelOf(a, DISK)]).toEqual([5, during]);
  });

  test("release needs a machine, is for root, and leaves a file that a guest here has", async () => {
    const { a, b } = makeMachines(CLUSTER);
    await startOn(a);
    expect(await run(a, "label", "release", DISK)).toBe(2);
    expect(await run(a, "label", "release", DISK, "--machine", a.id)).toBe(3);
    expect(await run(b, "label", "release", DISK, "--machine", a.id, "--dry-run")).toBe(0);
    expect(marksOn(b)).toEqual([a.id]);
    b.uid = 1000;
    expect((await errorOf(release(b, a.id))).kind).toBe("denied");
  });

  test("release of a dead machine leaves the label that guests here read the file with", async () => {
    const { a, b } = makeMachines(CLUSTER);
    await startOn(a, reads);
    await startOn(b, { ...another, ...reads });
    await release(b, a.id);
    expect([labelOf(b, DISK), marksOn(b)]).toEqual([CONTENT, [b.id]]);
    await endOn(b, "vm2");
    expect([labelOf(b, DISK), marksOn(b)]).toEqual([ORIGINAL, []]);
  });

  test("release gives a file that policy says nothing of the label of its folder", async () => {
    const { a, b } = makeMachines(NFS_PLAIN);
    await startOn(a);
    b.files.remove("/etc/selinux/svirt/contexts/files/file_contexts");
    await release(b, UNKNOWN_MACHINE);
    expect(labelOf(b, DISK)).toBe(labelOf(b, FOLDER));
  });

  test("show tells who has it, and by what it is seen", async () => {
    const { a, b } = makeMachines(CLUSTER);
    await startOn(a);
    const { heldBy, isStale, seenBy } = showLabel(nodeOn(b), DISK, undefined);
    expect([heldBy, isStale, seenBy]).toEqual([[{ id: a.id, name: a.name }], false, "GFS2"]);
  });
});

describe("a folder that guests of two machines share", () => {
  const folder = (more: string) => ({
    disks: "",
    devices: `<filesystem type='mount' accessmode='mapped'><source dir='${FOLDER}/all'/><target dir='all'/>${more}</filesystem>`,
  });
  const FILES = [`${FOLDER}/all`, `${FOLDER}/all/a`, `${FOLDER}/all/b`];

  function withFolder() {
    const machines = makeMachines(CLUSTER);
    machines.a.files.putFolder(`${FOLDER}/all`).xattrs.set("security.selinux", ORIGINAL);
    for (const path of FILES.slice(1)) putShared(machines.a, path);
    return machines;
  }

  test("keeps its label with all below it until the last of them ends", async () => {
    const { a, b } = withFolder();
    await startOn(a, folder("<readonly/>"));
    await startOn(b, { ...another, ...folder("<readonly/>") });
    await endOn(a);
    expect(FILES.map((path) => labelOf(b, path))).toEqual(FILES.map(() => CONTENT));
    await endOn(b, "vm2");
    expect(FILES.map((path) => labelOf(b, path))).toEqual(FILES.map(() => ORIGINAL));
    expect(FILES.map((path) => marksOn(b, path))).toEqual([[], [], []]);
  });

  test("is left as it is by a machine that comes back", async () => {
    const { a } = withFolder();
    await startOn(a, folder("<readonly/>"));
    expect((await powerFailure(a)).join()).toContain(`${FOLDER}/all keeps its label`);
    expect(FILES.map((path) => labelOf(a, path))).toEqual(FILES.map(() => CONTENT));
  });

  test("is not shared while a guest of another machine has a file in it", async () => {
    const { a, b } = withFolder();
    await startOn(a, { disks: diskXml(`${FOLDER}/all/a`, "vda") });
    const error = await errorOf(startOn(b, { ...another, ...folder("") }));
    expect([error.kind, error.message]).toEqual([
      "in-use",
      `Cannot share ${FOLDER}/all with the guest: it contains ${FOLDER}/all/a, and a guest of another machine may use it`,
    ]);
  });
});
