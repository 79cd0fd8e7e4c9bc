import { describe, expect, test } from "bun:test";
import { SvirtError } from "../../../../src/errors.ts";
import { fileKey } from "../../../../src/plan/facts/file-key.ts";
import { registryOf } from "../../../../src/state/instance.ts";
import { defineDomain } from "../../../../src/vm/define/define.ts";
import { buildPool } from "../../../../src/vm/pool/build-pool.ts";
import { definePool } from "../../../../src/vm/pool/define-pool.ts";
import { getPoolFacts, getPoolXml } from "../../../../src/vm/pool/pool-facts.ts";
import { destroyPool, startPool } from "../../../../src/vm/pool/start-pool.ts";
import { listPoolVolumes } from "../../../../src/vm/volume/list-volumes.ts";
import { findAnyPool, listVolumePools } from "../../../../src/vm/volume/volume-pool.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import {
  DEVICE,
  DISK,
  diskXml,
  EXPORT,
  LABELS,
  makeStorageMachine,
  NET,
  netXml,
} from "../../../scenes/mounted-pools.ts";
import { domainXml, errorOf, nodeOn, OTHER, putText } from "../../../scenes/scene.ts";

const NOT_BUILT = { isBuilt: false };
const LABEL = "security.selinux";
const IMAGES = "system_u:object_r:virt_image_t:s0";

async function machineWith(xml: Uint8Array, machine = makeStorageMachine()): Promise<Machine> {
  await definePool(nodeOn(machine), xml);
  return machine;
}

function labelAt(machine: Machine, path: string): string | undefined {
  return machine.files.get(path).xattrs.get(LABEL);
}

/** Returns the options of the orders, each of the first attempt. */
function contextsOf(machine: Machine): readonly (string | undefined)[] {
  return machine.mounts.orders.map(({ attempts }) =>
    attempts[0]?.options.find((option) => option.startsWith("context=")),
  );
}

const stateOf = async (machine: Machine) => (await getPoolFacts(nodeOn(machine), "net")).state;

describe("startPool() of a server's folder", () => {
  test("mounts files without labels as content that guests only read", async () => {
    const machine = await machineWith(netXml());
    await startPool(nodeOn(machine), "net", NOT_BUILT);
    expect(contextsOf(machine)).toEqual([undefined, `context=${LABELS.content}`]);
    expect(labelAt(machine, NET)).toBe(LABELS.content);
    expect(machine.mounts.list()).toMatchObject([{ path: NET, source: EXPORT }]);
    const node = nodeOn(machine);
    expect((await getPoolXml(node, "net", "active")).xml).toContain(`<label>${LABELS.content}</label>`);
    machine.files.put(`${NET}/a.iso`, "file");
    expect((await listPoolVolumes(node, "net")).map(({ name }) => name)).toEqual(["a.iso"]);
    await destroyPool(node, "net");
    expect([machine.mounts.list(), machine.files.find(`${NET}/a.iso`)]).toEqual([[], undefined]);
  });

  test.each([IMAGES, LABELS.guest])(
    "mounts files without labels with %s, the label in its XML",
    async (label) => {
      const machine = await machineWith(netXml({ label }));
      await startPool(nodeOn(machine), "net", NOT_BUILT);
      expect([contextsOf(machine)[1], labelAt(machine, NET)]).toEqual([`context=${label}`, label]);
    },
  );

  test("gives the root of a file system with labels that in its XML, but never one guest's", async () => {
    const machine = makeStorageMachine();
    machine.mounts.add(EXPORT, { device: "0:51", keepsLabels: true }, "system_u:object_r:nfs_t:s0");
    await machineWith(netXml({ label: IMAGES }), machine);
    await startPool(nodeOn(machine), "net", NOT_BUILT);
    expect([contextsOf(machine), labelAt(machine, NET)]).toEqual([[undefined], IMAGES]);
    await destroyPool(nodeOn(machine), "net");
    await machineWith(netXml({ label: LABELS.guest }), machine);
    const { kind, message } = await errorOf(startPool(nodeOn(machine), "net", NOT_BUILT));
    expect(kind).toBe("denied");
    expect(message).toContain("it is the label of one guest's files");
    expect([machine.mounts.list(), await stateOf(machine)]).toEqual([[], "inactive"]);
  });

  test("mounts a server's folder that is only read with one label, also if its files have some", async () => {
    const machine = makeStorageMachine();
    machine.mounts.add(EXPORT, { device: "0:51", keepsLabels: true }, IMAGES);
    await machineWith(netXml({ options: ["ro"] }), machine);
    await startPool(nodeOn(machine), "net", NOT_BUILT);
    expect(contextsOf(machine)).toEqual([`context=${LABELS.content}`]);
  });

  test("refuses a label with which every guest could write", async () => {
    const { kind } = await errorOf(machineWith(netXml({ label: "system_u:object_r:svirt_image_t:s0" })));
    expect(kind).toBe("denied");
  });

  test("changes no label without SELinux", async () => {
    const machine = await machineWith(netXml());
    machine.selinux = { mode: "disabled", policyName: undefined };
    await startPool(nodeOn(machine), "net", NOT_BUILT);
    expect([contextsOf(machine), machine.mounts.list().length]).toEqual([[undefined], 1]);
  });

  test("says why the kernel refuses a second label of one file system, and what to do", async () => {
    const machine = await machineWith(netXml());
    machine.mounts.fail = ({ attempts }) => {
      if (attempts[0]?.options.some((option) => option.startsWith("context=")) === true)
        throw new SvirtError(`Cannot mount ${EXPORT}: nfs vers=4.2: Device or resource busy (errno 16)`, {
          kind: "host-call",
          remedy: "",
        });
    };
    const { kind, message, remedy } = await errorOf(startPool(nodeOn(machine), "net", NOT_BUILT));
    expect([kind, message]).toEqual([
      "denied",
      expect.stringContaining("Another mount of it may have another label"),
    ]);
    expect(remedy).toBe("Unmount it elsewhere, or export another folder for each label.");
    expect(machine.mounts.list()).toEqual([]);
  });

  test("mounts nothing if the kernel gives the files another label than it was told", async () => {
    const machine = await machineWith(netXml());
    machine.mounts.ignoresContext = true;
    const { kind, message } = await errorOf(startPool(nodeOn(machine), "net", NOT_BUILT));
    expect([kind, message]).toEqual([
      "denied",
      expect.stringContaining(`with the label ${LABELS.content}: its files have ${LABELS.server} instead`),
    ]);
    expect([machine.mounts.list(), await stateOf(machine)]).toEqual([[], "inactive"]);
  });

  test("refuses a target with a mount, with libvirt's message", async () => {
    const machine = await machineWith(netXml());
    await startPool(nodeOn(machine), "net", NOT_BUILT);
    machine.files.remove("/run/svirt/storage/net.xml");
    expect((await errorOf(startPool(nodeOn(machine), "net", NOT_BUILT))).message).toBe(
      `Requested operation is not valid: Target '${NET}' is already mounted`,
    );
  });

  test("refuses an active pool, and the holder of a key", async () => {
    const machine = await machineWith(netXml());
    const forKey = { ...nodeOn(machine), isForKey: true as const };
    expect((await errorOf(startPool(forKey, "net", NOT_BUILT))).message).toContain(
      "this is a restricted key",
    );
    // Otherwise a mark of pool-autostart would have the next boot mount it.
    expect((await errorOf(definePool(forKey, netXml()))).message).toContain("this is a restricted key");
    expect(machine.mounts.orders).toEqual([]);
    await startPool(nodeOn(machine), "net", NOT_BUILT);
    expect((await errorOf(startPool(nodeOn(machine), "net", NOT_BUILT))).message).toBe(
      "Requested operation is not valid: storage pool 'net' is already active",
    );
  });

  test("changes nothing if an option in its XML is refused", async () => {
    const machine = await machineWith(netXml({ options: ["context=system_u:object_r:etc_t:s0"] }));
    machine.files.remove(NET);
    const { kind, place } = await errorOf(startPool(nodeOn(machine), "net", { isBuilt: true }));
    expect([kind, place, machine.files.find(NET)]).toEqual([
      "unsupported",
      "/pool/mount_opts/option",
      undefined,
    ]);
  });
});

describe("destroyPool() of a mounted pool", () => {
  test("leaves it active while a guest uses a volume, and names the guest", async () => {
    const machine = await machineWith(netXml());
    const node = nodeOn(machine);
    await startPool(node, "net", NOT_BUILT);
    machine.files.put(`${NET}/a.img`, "file");
    machine.mounts.busy.add(NET);
    const id = node.host.inspectFile(`${NET}/a.img`)?.id;
    registryOf(node).reserve(
      { kind: "file", key: id === undefined ? "" : fileKey(id), sharing: "exclusive" },
      OTHER,
    );
    const { kind, message } = await errorOf(destroyPool(node, "net"));
    expect([kind, message]).toEqual([
      "in-use",
      `Cannot unmount ${NET}: the guest ${OTHER} uses a volume of the storage pool 'net'`,
    ]);
    expect([(await getPoolFacts(node, "net")).state, machine.mounts.list().length]).toEqual(["running", 1]);
  });

  test("leaves the mount of another source at its target", async () => {
    const machine = await machineWith(netXml());
    const node = nodeOn(machine);
    await startPool(node, "net", NOT_BUILT);
    machine.mounts.detach(NET);
    const other = machine.mounts.add("other:/b", { device: "0:60", keepsLabels: true }, IMAGES);
    machine.mounts.attach(NET, other, { source: "other:/b", server: "other", attempts: [], flags: [] });
    expect((await getPoolFacts(node, "net")).state).toBe("inaccessible");
    await destroyPool(node, "net");
    expect(machine.mounts.list().map(({ source }) => source)).toEqual(["other:/b"]);
  });
});

describe("volumes of a pool that is not mounted", () => {
  test("are not those of the folder below the mount", async () => {
    const machine = await machineWith(netXml());
    const node = nodeOn(machine);
    await startPool(node, "net", NOT_BUILT);
    expect((await findAnyPool(node, "net")).folder?.id.device).toBe("0:50");
    machine.mounts.detach(NET);
    machine.files.put(`${NET}/wrong.img`, "file");
    await expect(findAnyPool(node, "net")).rejects.toThrow("storage pool 'net' is not mounted at");
    expect(listVolumePools(node)).toEqual([]);
  });
});

describe("a pool of type fs", () => {
  test("mounts its device, and leaves the label of its root without one in the XML", async () => {
    const machine = await machineWith(diskXml());
    await startPool(nodeOn(machine), "disk", NOT_BUILT);
    expect(machine.mounts.orders).toEqual([
      {
        source: DEVICE,
        server: undefined,
        attempts: [{ type: "ext4", options: [] }],
        flags: ["nosuid", "nodev", "noexec"],
      },
    ]);
    expect(labelAt(machine, DISK)).toBe("system_u:object_r:unlabeled_t:s0");
  });

  test("gives its root the label in the XML", async () => {
    const machine = await machineWith(diskXml({ label: IMAGES }));
    await startPool(nodeOn(machine), "disk", NOT_BUILT);
    expect(labelAt(machine, DISK)).toBe(IMAGES);
  });

  test("refuses a root that is labelled for a service", async () => {
    const machine = makeStorageMachine();
    machine.mounts.add(
      DEVICE,
      { device: "253:16", keepsLabels: true },
      "system_u:object_r:httpd_sys_content_t:s0",
    );
    await machineWith(diskXml(), machine);
    const { kind, message } = await errorOf(startPool(nodeOn(machine), "disk", NOT_BUILT));
    expect([kind, message]).toEqual(["denied", expect.stringContaining("httpd_sys_content_t")]);
    expect(machine.mounts.list()).toEqual([]);
  });

  test("refuses a device that the host or a guest uses, a missing one and a file", async () => {
    const swapped = await machineWith(diskXml());
    swapped.files.put("/proc/swaps", "file", {
      bytes: new TextEncoder().encode(`Filename\n${DEVICE} partition 1 0 -2\n`),
    });
    expect((await errorOf(startPool(nodeOn(swapped), "disk", NOT_BUILT))).message).toContain(
      `Cannot use ${DEVICE} for the storage pool 'disk': the host uses it`,
    );
    const guests = await machineWith(diskXml());
    const id = nodeOn(guests).host.inspectFile(DEVICE)?.id;
    registryOf(nodeOn(guests)).reserve(
      { kind: "file", key: id === undefined ? "" : fileKey(id), sharing: "exclusive" },
      OTHER,
    );
    expect((await errorOf(startPool(nodeOn(guests), "disk", NOT_BUILT))).kind).toBe("in-use");
    const gone = await machineWith(diskXml());
    gone.files.remove(DEVICE);
    expect((await errorOf(startPool(nodeOn(gone), "disk", NOT_BUILT))).kind).toBe("not-found");
    gone.files.put(DEVICE, "file");
    const { message } = await errorOf(startPool(nodeOn(gone), "disk", NOT_BUILT));
    expect(message).toContain("is no block device");
  });

  test("is not formatted while a definition has the device, by any of its names", async () => {
    const machine = await machineWith(diskXml());
    putText(machine, "/usr/sbin/mkfs.ext4", "");
    machine.files.putFolder("/dev/disk/by-id");
    machine.files.put("/dev/disk/by-id/a&b", "symlink", { target: "../../vdb" });
    const disks = "<disk type='block'><source dev='/dev/disk/by-id/a&amp;b'/><target dev='vda'/></disk>";
    await defineDomain(nodeOn(machine), domainXml({ disks }));
    const run: string[] = [];
    machine.runProgram = (words) => {
      run.push(words.join(" "));
      return { code: 0, errors: "" };
    };
    const attempt = () => buildPool(nodeOn(machine), "disk", { formatting: "overwrite" });
    const error = await errorOf(attempt());
    expect([error.kind, error.message, run]).toEqual([
      "in-use",
      `Cannot build the storage pool 'disk': the domain 'vm1' has the disk ${DEVICE}`,
      [],
    ]);
    await defineDomain(nodeOn(machine), domainXml());
    await attempt();
    expect(run).toHaveLength(1);
  });

  test("is formatted for as long as the program takes, whose message is shown", async () => {
    const machine = await machineWith(diskXml());
    putText(machine, "/usr/sbin/mkfs.ext4", "");
    const node = nodeOn(machine);
    const run: (readonly [string, boolean])[] = [];
    const runProgram: typeof node.host.runProgram = async (words, timeoutMs) => {
      // A device of 16 TiB that discards slowly takes longer than a minute.
      run.push([words.join(" "), timeoutMs >= 3_600_000]);
      return { code: 1, errors: "mke2fs 1.47.2\nmkfs.ext4: Device size reported to be zero\n" };
    };
    const host = { ...node.host, runProgram };
    const error = await errorOf(buildPool({ ...node, host }, "disk", { formatting: "overwrite" }));
    expect(error.message).toBe(
      `Failed to make filesystem of type 'ext4' on device '${DEVICE}': mkfs.ext4: Device size reported to be zero`,
    );
    expect(run).toEqual([[`/usr/sbin/mkfs.ext4 -F ${DEVICE}`, true]]);
  });

  test("is not formatted without the program, for an unknown type, or for the holder of a key", async () => {
    const machine = await machineWith(diskXml());
    const node = nodeOn(machine);
    const attempt = async (instance: typeof node) =>
      await errorOf(buildPool(instance, "disk", { formatting: "overwrite" }));
    expect((await attempt(node)).message).toBe(
      "Cannot build the storage pool 'disk': this host has no mkfs.ext4",
    );
    const forKey = { ...node, isForKey: true as const };
    expect((await attempt(forKey)).message).toContain("this is a restricted key");
    await machineWith(diskXml({ format: "auto" }), machine);
    expect((await attempt(nodeOn(machine))).message).toContain("svirt makes no file system of type auto");
  });
});
