import { beforeEach, describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { domainXml, failedStart, labelOf, makeMachine, nodeOn, ORIGINAL, UUID } from "../../scenes/scene.ts";

// https://libvirt.org/formatdomain.html#shared-memory-device
const PLAIN = "<shmem name='mail'><model type='ivshmem-plain'/><size unit='M'>4</size></shmem>";
const FILE = "/dev/shm/mail";
const OTHER = { name: "vm2", uuid: UUID.replace(/1$/, "2") };
const SHARED = "system_u:object_r:svirt_image_t:s0";

let machine: Machine;

beforeEach(() => {
  machine = makeMachine();
  machine.files.putFolder("/dev/shm").xattrs.set("security.selinux", ORIGINAL);
});

const start = (options: object = {}) =>
  startDomain(nodeOn(machine), domainXml({ devices: PLAIN, ...options }));

describe("memory that guests share by a name", () => {
  test("is made where it is missing, opened under no name that others may take, and left", async () => {
    await start();
    const words = machine.processes.qemuOf(UUID)?.words.join(" ") ?? "";
    expect(words).toMatch(/"mem-path":"\/proc\/self\/fd\/\d+","size":4194304,"share":true/);
    expect(machine.files.get(FILE).mode).toBe(0o600);
    expect(labelOf(machine, FILE)).toBe(SHARED);
    expect(machine.violations).toEqual([]);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(labelOf(machine, FILE)).toBe(ORIGINAL);
    expect(machine.files.get(FILE).acl.size).toBe(0);
  });

  test("is as it was before once the last of them has ended", async () => {
    machine.files.put(FILE, "file");
    const before = snapshot(machine);
    await start();
    await start(OTHER);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(labelOf(machine, FILE)).toBe(SHARED);
    await destroyDomain(nodeOn(machine), "vm2");
    expect(snapshot(machine)).toEqual(before);
  });

  test("is not what another guest has as its disk", async () => {
    machine.files.put(FILE, "file");
    const disks = `<disk type='file'><source file='${FILE}'/><target dev='vda'/></disk>`;
    await startDomain(nodeOn(machine), domainXml({ ...OTHER, disks }));
    expect(await failedStart(machine, { devices: PLAIN })).toMatchObject({ kind: "in-use" });
  });
});
