import { beforeEach, describe, expect, test } from "bun:test";
import { listErrors } from "../../../src/errors.ts";
import type { Host } from "../../../src/host/host.ts";
import { registryLock, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { planStop } from "../../../src/plan/steps/inverse.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { readRecord } from "../../../src/state/record.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { auditFile } from "../../../src/vm/audit/open-file.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { recoverAll } from "../../../src/vm/recover/recover.ts";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import {
  diskXml,
  domainXml,
  failedStart,
  folderLabelOf,
  labelOf,
  makeMachine,
  nodeOn,
  UUID,
} from "../../scenes/scene.ts";
import { beStruck, instantsOf, leavesNothing, type Work, withoutInodes } from "../../scenes/strikes.ts";

/** Time for hundreds of kills: a busy machine needs more than the runner's five seconds. */
const TIMEOUT_MS = 120_000;
const OWN = "system_u:object_r:public_content_rw_t:s0";
const HOME = "system_u:object_r:user_home_t:s0";
const CONTENT = "system_u:object_r:virt_content_t:s0";
const LABEL = "security.selinux";
const ENTRIES = ["", "/a", "/sub", "/sub/b", "/sub/odd", "/sub/link"];

/** https://libvirt.org/formatdomain.html#filesystems */
const share = (more = "", mode = "mapped", dir = "/srv/all"): string =>
  `<filesystem type='mount' accessmode='${mode}'><source dir='${dir}'/><target dir='all'/>${more}</filesystem>`;

let machine: Machine;

beforeEach(() => {
  machine = withTree();
});

/**
 * Returns a machine with a folder, in which one file has a different label and a symlink leads out of the
 * folder.
 */
function withTree(): Machine {
  const made = makeMachine();
  made.files.putFolder("/srv/all/sub").xattrs.set(LABEL, OWN);
  made.files.get("/srv/all").xattrs.set(LABEL, OWN);
  for (const path of ["/srv/all/a", "/srv/all/sub/b", "/srv/all/sub/odd", "/srv/outside"])
    made.files.put(path, "file").xattrs.set(LABEL, path.endsWith("odd") ? HOME : OWN);
  made.files.put("/srv/all/sub/link", "symlink", { target: "/srv/outside" }).xattrs.set(LABEL, OWN);
  return made;
}

const start = (devices = share(), options: object = {}) =>
  startDomain(nodeOn(machine), domainXml({ devices, ...options }));
const labels = () =>
  ENTRIES.map((name) => machine.files.find(`/srv/all${name}`, false)?.inode.xattrs.get(LABEL));
const image = () => folderLabelOf(readRecord(nodeOn(machine), UUID));

/** Reports for each walk through a folder whether it held the registry's lock, which blocks other calls. */
async function locksOf(end: (instance: Instance) => Promise<unknown>): Promise<boolean[]> {
  const node = nodeOn(machine);
  const held: boolean[] = [];
  const visitTree: Host["visitTree"] = (...args) => {
    held.push(machine.locks.has(registryLock(SYSTEM_PATHS)));
    node.host.visitTree(...args);
  };
  await end({ ...node, host: Object.create(node.host, { visitTree: { value: visitTree } }) });
  return held;
}

describe("a folder that a guest shares", () => {
  test("is given back without the registry's lock if the guest has it alone: it decides how much is in it", async () => {
    await start();
    const held = await locksOf((instance) => destroyDomain(instance, "vm1"));
    expect([held.length > 1, held.includes(true)]).toEqual([true, false]);
  });

  test("is given back under the registry's lock if several guests have it", async () => {
    await start(share("<readonly/>"));
    expect(await locksOf((instance) => destroyDomain(instance, "vm1"))).not.toContain(false);
  });

  test("has the guest's label with all below it, and only the guest's user may open it besides", async () => {
    const before = snapshot(machine);
    await start();
    expect(labels()).toEqual(ENTRIES.map(() => image()));
    expect(labelOf(machine, "/srv/outside")).toBe(OWN);
    const { uid } = readRecord(nodeOn(machine), UUID) ?? {};
    expect([...machine.files.get("/srv/all/sub/b").acl]).toEqual([[uid ?? 0, "read-write"]]);
    const words = machine.processes.qemuOf(UUID)?.words.join(" ");
    expect(words).toMatch(/-fsdev local,security_model=mapped,id=fsdev-fs0,path=\/proc\/self\/fd\/\d+ /);
    expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(snapshot(machine)).toEqual(before);
  });

  test("is content that several guests may only read, until the last of them ends", async () => {
    const before = snapshot(machine);
    await start(share("<readonly/>", "passthrough"));
    await start(share("<readonly/>", "passthrough"), { name: "vm2", uuid: UUID.replace(/1$/, "2") });
    expect(labels()).toEqual(ENTRIES.map(() => CONTENT));
    await destroyDomain(nodeOn(machine), "vm1");
    expect(labels()).toEqual(ENTRIES.map(() => CONTENT));
    await destroyDomain(nodeOn(machine), "vm2");
    expect(snapshot(machine)).toEqual(before);
  });

  test("is where the guest may have files open that only its folder is handed over of", async () => {
    await start(share("<readonly/>", "squash"));
    const guest = readRecord(nodeOn(machine), UUID);
    if (guest === undefined) throw new Error("it does not run");
    const open = (target: string) => {
      const id = nodeOn(machine).host.inspectFile(target)?.id;
      return auditFile(nodeOn(machine), guest, { fd: 30, target, label: labelOf(machine, target), id });
    };
    expect(open("/srv/all/sub/b").finding).toBeUndefined();
    expect(open("/srv/outside").finding).toBe("is not one of the files that svirt gave to the guest");
  });

  test("has what the guest made there as the folder's owner's, with the folder's label", async () => {
    await start();
    const { uid = 0 } = readRecord(nodeOn(machine), UUID) ?? {};
    machine.files.put("/srv/all/sub/new", "file", { uid });
    expect(labelOf(machine, "/srv/all/sub/new")).toBe(image());
    await destroyDomain(nodeOn(machine), "vm1");
    expect([labelOf(machine, "/srv/all/sub/new"), machine.files.get("/srv/all/sub/new").uid]).toEqual([
      OWN,
      0,
    ]);
  });

  test("never passes on the label of a guest that is gone", async () => {
    machine.files.get("/srv/all/a").xattrs.set(LABEL, "system_u:object_r:svirt_image_t:s0:c1,c2");
    await start();
    await destroyDomain(nodeOn(machine), "vm1");
    expect(labelOf(machine, "/srv/all/a")).toBe(OWN);
  });

  test("keeps its labels where the XML wants no relabelling", async () => {
    const seclabel =
      "<seclabel type='static' model='selinux' relabel='no'><label>system_u:system_r:svirt_t:s0:c1,c2</label></seclabel>";
    await start(share(), { seclabel });
    expect(labels()).toEqual(ENTRIES.map((name) => (name.endsWith("odd") ? HOME : OWN)));
  });

  test("stands in the plan of a start", async () => {
    const steps = await planDomainStart(nodeOn(machine), domainXml({ devices: share() }));
    const shared = steps.filter(({ do: what }) => what === "share-tree");
    expect(shared).toMatchObject([{ folder: { path: "/srv/all" }, from: OWN, access: "read-write" }]);
    expect(planStop(steps).filter(({ do: what }) => what === "unshare-tree")).toHaveLength(1);
    expect(labels()).not.toContain(image());
  });
});

describe("a start is refused", () => {
  const other = { name: "vm2", uuid: UUID.replace(/1$/, "2") };

  test.each(["/", "/usr", "/usr/share/doc", "/etc", "/var", "/var/lib", "/run", "/dev", "/boot", "/root"])(
    "for %s, which is the host's",
    async (dir) => {
      const error = await failedStart(machine, { devices: share("", "mapped", dir) });
      expect(error).toMatchObject({ kind: "denied" });
      expect(error.message).toStartWith(`Cannot share ${dir} with a guest: `);
    },
  );

  test("for a link to such a folder", async () => {
    machine.files.put("/srv/link", "symlink", { target: "/etc" });
    expect(await failedStart(machine, { devices: share("", "mapped", "/srv/link") })).toMatchObject({
      kind: "denied",
    });
  });

  test("for a folder that another guest may write in, and for what is below or above it", async () => {
    await start();
    for (const dir of ["/srv/all", "/srv/all/sub", "/srv"]) {
      const error = await failedStart(machine, { ...other, devices: share("", "mapped", dir) });
      expect([dir, error.kind]).toEqual([dir, "in-use"]);
    }
    const error = await failedStart(machine, { ...other, disks: diskXml("/srv/all/a", "vda") });
    expect(error.message).toBe(
      `Cannot give /srv/all/a to the guest: the guest ${UUID} shares /srv/all and all files in it`,
    );
  });

  test("for a folder that a guest's disk is in, its own too", async () => {
    expect(
      await failedStart(machine, { devices: share(), disks: diskXml("/srv/all/a", "vda") }),
    ).toMatchObject({
      kind: "in-use",
    });
    await startDomain(nodeOn(machine), domainXml({ ...other, disks: diskXml("/srv/all/sub/b", "vda") }));
    expect((await failedStart(machine, { devices: share() })).message).toBe(
      "Cannot share /srv/all with the guest: it contains /srv/all/sub/b, and a guest uses it",
    );
  });

  test("for a file that has another name outside", async () => {
    const outside = machine.files.get("/srv/outside");
    machine.files.get("/srv/all/sub").entries.set("hard", outside);
    const error = await failedStart(machine, { devices: share() });
    expect(error.message).toBe(
      "Cannot share /srv/all/sub/hard with a guest: the file has 2 names, and not all of them are in the folder",
    );
  });

  test("for another file system below", async () => {
    machine.files.put("/srv/all/mnt", "folder", { fileSystem: { device: "8:9", keepsLabels: true } });
    expect((await failedStart(machine, { devices: share() })).message).toBe(
      "Cannot share /srv/all/mnt with a guest: another file system is mounted there",
    );
  });

  test("for a file where a folder should be, and for nothing", async () => {
    expect(await failedStart(machine, { devices: share("", "mapped", "/srv/outside") })).toMatchObject({
      kind: "unsupported",
    });
    expect(await failedStart(machine, { devices: share("", "mapped", "/srv/none") })).toMatchObject({
      kind: "not-found",
    });
  });

  test("where QEMU would need a capability, or has no such driver any more", async () => {
    const passed = await failedStart(machine, { devices: share("", "passthrough") });
    expect(passed.message).toContain("/domain/devices/filesystem[1]/@accessmode: ");
    const byHandle = await failedStart(machine, { devices: share("<driver type='handle'/>", "passthrough") });
    expect(listErrors(byHandle).map(({ place }) => place)).toEqual([
      "/domain/devices/filesystem[1]/@accessmode",
      "/domain/devices/filesystem[1]/driver/@type",
    ]);
  });
});

describe("killed before, within and after every call that changes something,", () => {
  const begin: Work = (node) => startDomain(node, domainXml({ devices: share() }));
  const end: Work = (node) => destroyDomain(node, "vm1");
  const prepared = async (): Promise<Machine> => {
    const made = withTree();
    await begin(nodeOn(made));
    const { uid = 0 } = readRecord(nodeOn(made), UUID) ?? {};
    made.files.put("/srv/all/sub/b", "file", { uid });
    return made;
  };

  test.each([
    ["a start", async () => withTree(), begin],
    ["an end", prepared, end],
  ])(
    "%s of a guest with a shared folder leaves nothing of the guest's in it",
    async (name, prepare, work) => {
      await leavesNothing({ name, prepare, work }, { clean: withoutInodes(withTree()), end });
    },
    TIMEOUT_MS,
  );

  test(
    "by a power failure too",
    async () => {
      for (const strike of sampleOf(await instantsOf(async () => withTree(), begin))) {
        machine = withTree();
        await beStruck(machine, begin, strike);
        machine.reboot();
        await recoverAll(nodeOn(machine));
        expect([strike, ...labels()]).toEqual([strike, OWN, OWN, OWN, OWN, HOME, OWN]);
      }
    },
    TIMEOUT_MS,
  );
});
