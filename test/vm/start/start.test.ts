import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { snapshot } from "../../memory-host/machine.ts";
import {
  ALL_KINDS,
  diskXml,
  domainXml,
  failedStart,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  OTHER,
  orderOf,
  reapAll,
  staticLabel,
  UUID,
} from "../../scenes/scene.ts";

const CONTENT = "system_u:object_r:virt_content_t:s0";
describe("startDomain()", () => {
  test("labels every kind of disk as the reference does, and destroy puts every label back", async () => {
    const machine = makeMachine();
    const before = snapshot(machine);
    const { did, guest } = await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
    expect(did).toBe(true);
    const range = guest.label.label?.split(":").slice(3).join(":");
    expect(guest.label.label).toBe(`system_u:system_r:svirt_t:${range}`);
    expect(range).toMatch(/^s0:c\d+,c\d+$/);
    const image = `system_u:object_r:svirt_image_t:${range}`;
    expect(labelOf(machine, "/var/lib/images/top.qcow2")).toBe(image);
    expect(labelOf(machine, "/dev/vdb")).toBe(image);
    expect(labelOf(machine, "/var/lib/images/base.raw")).toBe(CONTENT);
    expect(labelOf(machine, "/var/lib/images/install.iso")).toBe(CONTENT);
    expect(labelOf(machine, "/var/lib/images/shared.raw")).toBe("system_u:object_r:svirt_image_t:s0");
    expect(labelOf(machine, "/var/lib/images/private1.raw")).toBe(ORIGINAL);
    expect(labelOf(machine, `/run/svirt/${UUID}/guest`)).toBe(image);
    const qemu = machine.processes.qemuOf(UUID);
    expect(qemu).toMatchObject({ context: guest.label.label ?? "", status: "running", uid: guest.uid });
    expect(machine.files.get(`/run/svirt/${UUID}/guest`).uid).toBe(guest.uid);
    expect(await destroyDomain(nodeOn(machine), "vm1")).toEqual({ name: "vm1", did: true });
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });

  // The machine's first boot is 1700000000 seconds after 1970: date -u -d @1700000000
  test.each([
    ["adjustment='3600'", "2023-11-14T23:13:20"],
    ["adjustment='-3600' basis='utc'", "2023-11-14T21:13:20"],
    ["basis='localtime'", "localtime"],
  ])("sets a clock that is so far off by the host's: %s", async (clock, expected) => {
    const machine = makeMachine();
    machine.nowMs = 1_700_000_000_000;
    await startDomain(nodeOn(machine), domainXml({ lifecycle: `<clock offset='variable' ${clock}/>` }));
    const { words } = orderOf(machine);
    expect(words[words.indexOf("-rtc") + 1]).toBe(`base=${expected}`);
  });

  test("refuses a clock that is set off from the host's local time", async () => {
    const lifecycle = "<clock offset='variable' adjustment='1' basis='localtime'/>";
    const error = await failedStart(makeMachine(), { lifecycle });
    expect(error.message).toStartWith(
      "Cannot translate /domain/clock/@offset for QEMU: svirt does not read the host's offset from UTC",
    );
  });

  test("does nothing to a guest that runs already", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml());
    const before = snapshot(machine);
    expect((await startDomain(nodeOn(machine), domainXml())).did).toBe(false);
    expect(snapshot(machine)).toEqual(before);
  });

  test("gives a guest the same level and user at each start", async () => {
    const machine = makeMachine();
    const first = await startDomain(nodeOn(machine), domainXml());
    await destroyDomain(nodeOn(machine), "vm1");
    const second = await startDomain(nodeOn(machine), domainXml());
    expect(second.guest.label.label).toBe(first.guest.label.label ?? "");
    expect(second.guest.uid).toBe(first.guest.uid);
  });

  test("leaves relabel='no' files alone, and still nobody else may have them", async () => {
    const machine = makeMachine();
    const file = "/var/lib/images/private1.raw";
    const disks = `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${file}'><seclabel model='selinux' relabel='no'/></source><target dev='vda' bus='virtio'/></disk>`;
    await startDomain(nodeOn(machine), domainXml({ disks }));
    expect(labelOf(machine, file)).toBe(ORIGINAL);
    const error = await failedStart(machine, { name: "vm2", uuid: OTHER, disks: diskXml(file, "vda") });
    expect(error.kind).toBe("in-use");
  });

  test("puts back what the file itself remembers from a boot before, not the dead guest's label on it", async () => {
    const machine = makeMachine();
    const path = "/var/lib/images/private1.raw";
    const { xattrs } = machine.files.get(path);
    xattrs.set("security.selinux", "system_u:object_r:svirt_image_t:s0:c7,c8");
    xattrs.set("trusted.libvirt.security.selinux", ORIGINAL);
    xattrs.set("trusted.libvirt.security.ref_selinux", "1");
    xattrs.set("trusted.libvirt.security.timestamp_selinux", String(machine.bootSeconds - 5000));
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(path, "vda") }));
    await destroyDomain(nodeOn(machine), "vm1");
    expect([...xattrs]).toEqual([
      ["security.selinux", ORIGINAL],
      ["trusted.svirt.format", "raw"],
    ]);
  });

  test("refuses a file that libvirt holds for a guest of its own in this boot", async () => {
    const machine = makeMachine();
    const path = "/var/lib/images/private1.raw";
    const { xattrs } = machine.files.get(path);
    xattrs.set("trusted.libvirt.security.selinux", ORIGINAL);
    xattrs.set("trusted.libvirt.security.ref_selinux", "1");
    xattrs.set("trusted.libvirt.security.timestamp_selinux", String(machine.bootSeconds + 1));
    const error = await failedStart(machine, { disks: diskXml(path, "vda") });
    expect(error.message).toContain("libvirt uses it for 1 of its guests");
  });
});

describe("a static label", () => {
  test("with relabel='no' labels no file", async () => {
    const machine = makeMachine();
    const disks = diskXml("/var/lib/images/private1.raw", "vda");
    const { guest } = await startDomain(
      nodeOn(machine),
      domainXml({ disks, seclabel: staticLabel("s0:c1,c2", "no") }),
    );
    expect(guest.label.label).toBe("system_u:system_r:svirt_t:s0:c1,c2");
    expect(labelOf(machine, "/var/lib/images/private1.raw")).toBe(ORIGINAL);
  });

  test("that the policy does not know is refused, which the reference finds out in QEMU", async () => {
    const seclabel = staticLabel("s0:c1,c2").replace("svirt_t", "unknown_t");
    const error = await failedStart(makeMachine(), { seclabel });
    expect([error.kind, error.message]).toEqual([
      "denied",
      expect.stringContaining("Invalid security label"),
    ]);
  });
});

describe("a start that fails", () => {
  test("because QEMU ends says its last words, and leaves nothing", async () => {
    const machine = makeMachine();
    machine.qemu = { endsAtOnce: { status: 1, says: "qemu-system-x86_64: no such machine" } };
    const error = await failedStart(machine, { disks: ALL_KINDS });
    expect(error.message).toContain("qemu-system-x86_64: no such machine");
  });

  test("because QEMU does not answer leaves no QEMU", async () => {
    const machine = makeMachine();
    machine.qemu = { monitor: "silent" };
    expect((await failedStart(machine, { disks: ALL_KINDS })).kind).toBe("timeout");
  });

  test("because QEMU is in another context than was decided: its vCPUs never run", async () => {
    const machine = makeMachine();
    machine.qemu = { context: "system_u:system_r:svirt_manager_t:s0" };
    const error = await failedStart(machine, { disks: ALL_KINDS });
    expect([error.kind, error.message]).toEqual(["denied", expect.stringContaining("svirt_manager_t:s0")]);
  });

  test("because QEMU ignores SIGTERM too: it is killed", async () => {
    const machine = makeMachine();
    machine.qemu = { monitor: "silent", ignoresTerm: true };
    expect((await failedStart(machine, {})).kind).toBe("timeout");
  });

  test.each([
    ["a disk that is not there", diskXml("/var/lib/images/nosuch.raw", "vda"), "not-found"],
    [
      "a disk that belongs to the host",
      diskXml("/etc/selinux/svirt/contexts/virtual_image_context", "vda"),
      "denied",
    ],
    ["a device given as a file", diskXml("/dev/vdb", "vda"), "unsupported"],
  ])("because of %s", async (_, disks, kind) => {
    expect<string>((await failedStart(makeMachine(), { disks })).kind).toBe(kind);
  });

  test("because a serial port's file would be the host's: it is not even made", async () => {
    const devices = "<serial type='file'><source path='/etc/made'/></serial>";
    const error = await failedStart(makeMachine(), { devices });
    expect([error.kind, error.message]).toEqual(["denied", expect.stringContaining("/etc/made")]);
  });
});

test("planDomainStart() changes nothing, and gives the steps that the start then takes", async () => {
  const machine = makeMachine();
  const xml = domainXml({ disks: ALL_KINDS });
  const before = snapshot(machine);
  const planned = await planDomainStart(nodeOn(machine), xml);
  expect(snapshot(machine)).toEqual(before);
  const { guest } = await startDomain(nodeOn(machine), xml);
  expect(guest.steps).toEqual([...planned]);
});
