import { describe, expect, test } from "bun:test";
import { describe as describeStep } from "../../../src/plan/steps/describe.ts";
import { readRecords } from "../../../src/state/record.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import {
  diskXml,
  domainXml,
  errorOf,
  failedStart,
  labelOf,
  nodeOn,
  OTHER,
  putNode,
  reapAll,
  UUID,
} from "../../scenes/scene.ts";
import { DISK, HOME, HOME_LABEL, makeUsersMachine, STATE, USER } from "../../scenes/session.ts";

const XML = domainXml({ type: "qemu", disks: diskXml(DISK, "vda") });
const CONTENT = "system_u:object_r:virt_content_t:s0";

/** Creates a file of root that other users may read. */
function putShared(machine: Machine, path: string, label: string): void {
  machine.files
    .put(path, "file", { mode: 0o644, bytes: new Uint8Array(4096) })
    .xattrs.set("security.selinux", label);
}

async function failure(machine: Machine, devices: string, type: "kvm" | "qemu" = "qemu") {
  return await failedStart(machine, { type, devices });
}

describe("a guest of an ordinary user", () => {
  test("runs as him in a context of its own, its disk labelled, and all is as before afterwards", async () => {
    const machine = makeUsersMachine();
    const before = snapshot(machine);
    const { guest } = await startDomain(nodeOn(machine), XML);
    const range = guest.label.label?.split(":").slice(3).join(":");
    expect(range).toMatch(/^s0:c\d+,c\d+$/);
    expect(machine.processes.qemuOf(UUID)).toMatchObject({
      uid: USER,
      context: `system_u:system_r:svirt_tcg_t:${range}`,
      status: "running",
    });
    expect(labelOf(machine, DISK)).toBe(`system_u:object_r:svirt_image_t:${range}`);
    expect(machine.files.get(DISK).uid).toBe(USER);
    expect(machine.files.find(`${STATE}/records/${UUID}.json`)).toBeDefined();
    expect(machine.files.find(`/run/user/${USER}/svirt/${UUID}/monitor.sock`)).toBeDefined();
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(labelOf(machine, DISK)).toBe(HOME_LABEL);
    expect(snapshot(machine)).toEqual(before);
  });

  test("is not root's, and root's are not his", async () => {
    const machine = makeUsersMachine();
    await startDomain(nodeOn(machine), XML);
    machine.uid = 0;
    expect(readRecords(nodeOn(machine))).toEqual([]);
    expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
    await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER }));
    machine.uid = USER;
    expect(readRecords(nodeOn(machine)).map(({ name }) => name)).toEqual(["vm1"]);
    expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
  });

  test("has a level that no guest of root's has", async () => {
    const machine = makeUsersMachine();
    machine.uid = 0;
    const first = await startDomain(nodeOn(machine), domainXml({ type: "qemu" }));
    machine.uid = USER;
    const second = await startDomain(nodeOn(machine), XML);
    expect(second.guest.uuid).toBe(first.guest.uuid);
    expect(second.guest.label.label).not.toBe(first.guest.label.label ?? "");
    expect(machine.violations).toEqual([]);
  });

  test("ends without any other process of his, or another guest of his", async () => {
    const machine = makeUsersMachine();
    const editor = machine.processes.add({ uid: USER, command: "vi", words: ["vi", UUID, "svirt"] });
    await startDomain(nodeOn(machine), XML);
    await startDomain(nodeOn(machine), domainXml({ type: "qemu", name: "vm2", uuid: OTHER }));
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(machine.processes.get(editor.pid)).toBeDefined();
    expect(machine.liveGuests().map(({ order }) => order?.uuid)).toEqual([OTHER]);
  });

  test("is ended although it calls itself something else and its reaper is gone", async () => {
    const machine = makeUsersMachine();
    await startDomain(nodeOn(machine), XML);
    const { processes } = machine;
    const guest = processes.qemuOf(UUID);
    const reaper = processes.list().find(({ role }) => role === "reaper");
    processes.end(reaper?.pid ?? 0, 137);
    processes.end(guest?.pid ?? 0, 0);
    processes.add({ ...guest, words: ["vi"], parentPid: 1 });
    await destroyDomain(nodeOn(machine), "vm1");
    expect(machine.liveGuests()).toEqual([]);
  });

  test("is planned as it is started", async () => {
    const machine = makeUsersMachine();
    const before = snapshot(machine);
    const steps = (await planDomainStart(nodeOn(machine), XML)).map(describeStep);
    expect(snapshot(machine)).toEqual(before);
    expect(steps.filter((step) => step.includes("uid"))).toEqual([
      expect.stringContaining(`create folder /run/user/${USER}/svirt/${UUID} (mode 711, uid ${USER}`),
      expect.stringContaining(`create folder /run/user/${USER}/svirt/${UUID}/guest (mode 700, uid ${USER}`),
      `remember the owner of ${DISK}: mode 600, uid ${USER}, gid 0`,
      expect.stringContaining(
        `start /usr/bin/qemu-system-x86_64 as uid ${USER} in system_u:system_r:svirt_tcg_t:`,
      ),
    ]);
  });

  test("may read what is content already, which stays as it is", async () => {
    const machine = makeUsersMachine();
    putShared(machine, "/srv/base.iso", CONTENT);
    const before = snapshot(machine);
    const disks = diskXml("/srv/base.iso", "vdb", "<readonly/>");
    await startDomain(nodeOn(machine), domainXml({ type: "qemu", disks }));
    expect(labelOf(machine, "/srv/base.iso")).toBe(CONTENT);
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });

  test("may have a tap that root has made for him, and no vhost-net", async () => {
    const machine = makeUsersMachine();
    machine.files.putFolder("/sys/class/net/tap0");
    const devices =
      "<interface type='ethernet'><target dev='tap0' managed='no'/><model type='virtio'/></interface>";
    await startDomain(nodeOn(machine), domainXml({ type: "qemu", devices }));
    expect(machine.processes.qemuOf(UUID)?.order?.taps).toMatchObject([
      { name: "tap0", isMade: false, vhosts: [] },
    ]);
  });
});

describe("the console of a user's guest", () => {
  test.each([
    ["its own terminal, which has its level", "", 0],
    ["a shell of his own, which has none", "s0", 5],
    ["another guest's of his", "s0:c1,c2", 5],
  ])("with %s", async (_, range, code) => {
    const machine = makeUsersMachine();
    const chardev = { label: "charserial0", filename: "pty:/dev/pts/7" };
    machine.qemu = { answers: new Map([["query-chardev", [chardev]]]) };
    const devices = "<serial type='pty'/>";
    const { guest } = await startDomain(nodeOn(machine), domainXml({ type: "qemu", devices }));
    const own = guest.label.label?.split(":").slice(3).join(":") ?? "";
    machine.files.putFolder("/dev/pts");
    const terminal = machine.files.put("/dev/pts/7", "character", { uid: USER, node: "136:7" });
    terminal.xattrs.set("security.selinux", `system_u:object_r:svirt_devpts_t:${range || own}`);
    const said = await runOn(machine, "console", "vm1");
    expect([said.code, said.err.includes("the device does not belong to the guest")]).toEqual([
      code,
      code !== 0,
    ]);
  });
});

describe("an ordinary user is refused, and nothing is changed:", () => {
  test("KVM, where he may not open its device", async () => {
    const machine = makeUsersMachine();
    machine.files.get("/dev/kvm").mode = 0o660;
    const error = await failure(machine, "", "kvm");
    expect(error).toMatchObject({ kind: "denied", message: expect.stringContaining("/dev/kvm") });
    expect(error.remedy).toContain("<domain type='qemu'>");
    machine.files.get("/dev/kvm").mode = 0o666;
    expect((await startDomain(nodeOn(machine), domainXml())).did).toBe(true);
  });

  test.each([
    ["a disk of root's", diskXml("/srv/root.raw", "vda"), "/srv/root.raw"],
    [
      "content that is not labelled so yet",
      diskXml("/srv/root.raw", "vda", "<readonly/>"),
      "svirt label set",
    ],
    [
      "a bridge",
      "<interface type='bridge'><source bridge='br0'/></interface>",
      "/domain/devices/interface[1]",
    ],
    ["a tap of svirt's", "<interface type='ethernet'/>", "/domain/devices/interface[1]"],
    ["an emulated TPM", "<tpm><backend type='emulator' version='2.0'/></tpm>", "/domain/devices/tpm"],
  ])("%s", async (_, devices, says) => {
    const machine = makeUsersMachine();
    putShared(machine, "/srv/root.raw", HOME_LABEL);
    const error = await failure(machine, devices);
    expect(error.kind).toBe("denied");
    expect(`${error.message} ${error.remedy}`).toContain(says);
  });

  test("limits, which are root's to set", async () => {
    const machine = makeUsersMachine();
    const error = await failedStart(machine, {
      type: "qemu",
      lifecycle: "<memtune><hard_limit unit='MiB'>512</hard_limit></memtune>",
    });
    expect(error.message).toBe("Cannot apply /domain/memtune: creating control groups requires root");
  });

  test("a guest without confinement, unless he has said in his own settings that it may be", async () => {
    const machine = makeUsersMachine();
    const options = {
      type: "qemu",
      seclabel: "<seclabel type='none'/>",
      disks: diskXml(DISK, "vda"),
    } as const;
    const error = await failedStart(machine, options);
    expect(error.remedy).toContain(`${HOME}/.config/svirt/svirt.conf`);
    machine.files.putFolder(`${HOME}/.config/svirt`);
    machine.files.put(`${HOME}/.config/svirt/svirt.conf`, "file", {
      bytes: new TextEncoder().encode("security_require_confined = 0\n"),
    });
    await startDomain(nodeOn(machine), domainXml(options));
    expect(machine.processes.qemuOf(UUID)?.uid).toBe(USER);
    expect(labelOf(machine, DISK)).toBe(HOME_LABEL);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(machine.liveGuests()).toEqual([]);
  });

  test("a guest where the kernel has no SELinux", async () => {
    const machine = makeUsersMachine();
    machine.selinux = { mode: "disabled", policyName: undefined };
    const error = await errorOf(startDomain(nodeOn(machine), XML));
    expect(error.message).toBe("Cannot confine the guest: the kernel runs without SELinux");
  });

  test("a start while he is not logged in", async () => {
    const machine = makeUsersMachine();
    machine.files.remove(`/run/user/${USER}`);
    const error = await errorOf(startDomain(nodeOn(machine), XML));
    expect(error.message).toContain(`/run/user/${USER} does not exist`);
  });

  test("a bridge for a guest that runs", async () => {
    const machine = makeUsersMachine();
    await startDomain(nodeOn(machine), XML);
    const before = snapshot(machine);
    const bytes = new TextEncoder().encode("<interface type='bridge'><source bridge='br0'/></interface>");
    machine.files.put("/card.xml", "file", { bytes });
    const said = await runOn(machine, "attach-device", "vm1", "/card.xml");
    machine.files.remove("/card.xml");
    expect([said.code, said.err]).toEqual([5, expect.stringContaining("only root can create the tap")]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("autostart, label set and label restore; uri says whose instance it is", async () => {
    const machine = makeUsersMachine();
    machine.files.put("/vm.xml", "file", { bytes: XML });
    expect((await runOn(machine, "define", "/vm.xml")).code).toBe(0);
    expect(machine.files.find(`${HOME}/.config/svirt/domains/vm1.xml`)).toBeDefined();
    expect(await runOn(machine, "autostart", "vm1")).toMatchObject({ code: 2, out: "" });
    expect((await runOn(machine, "label", "set", DISK, CONTENT)).code).toBe(5);
    expect((await runOn(machine, "label", "restore", DISK)).code).toBe(5);
    expect((await runOn(machine, "uri")).out).toBe("qemu:///session\n\n");
    machine.uid = 0;
    expect((await runOn(machine, "uri")).out).toBe("qemu:///system\n\n");
    expect((await runOn(machine, "list", "--all", "--name")).out).toBe("");
  });

  test("a device of the host's", async () => {
    const machine = makeUsersMachine();
    putNode(machine, "/dev/input/event7", { node: "13:71", type: "event_device_t" });
    const error = await failure(machine, "<input type='evdev'><source dev='/dev/input/event7'/></input>");
    expect(error.message).toContain("Cannot label /dev/input/event7");
  });
});
