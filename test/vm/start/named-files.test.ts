import { beforeEach, describe, expect, test } from "bun:test";
import { readRecord } from "../../../src/state/record.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import {
  domainXml,
  errorOf,
  failedStart,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  putNode,
  UUID,
} from "../../scenes/scene.ts";

const OTHER = "11111111-2222-4333-8444-000000000002";
const EVDEV = "<input type='evdev'><source dev='/dev/input/event3'/></input>";
const PASSED = "<input type='passthrough' bus='virtio'><source evdev='/dev/input/event3'/></input>";
const PMEM =
  "<memory model='virtio-pmem' access='shared'><source><path>/var/lib/images/pmem</path></source><target><size unit='KiB'>4096</size></target></memory>";
const MEMORY =
  "<maxMemory unit='MiB' slots='2'>256</maxMemory><cpu><numa><cell id='0' cpus='0' memory='64' unit='MiB'/></numa></cpu>";
const PSTORE =
  "<pstore backend='acpi-erst'><path>/var/lib/images/erst</path><size unit='KiB'>64</size></pstore>";

let machine: Machine;

beforeEach(() => {
  machine = makeMachine();
  for (const name of ["pmem", "slic", "value"]) {
    machine.files.put(`/var/lib/images/${name}`, "file", { mode: name === "pmem" ? 0o600 : 0o644 });
    machine.files.get(`/var/lib/images/${name}`).xattrs.set("security.selinux", ORIGINAL);
  }
});

/**
 * Starts a guest with these devices and stops it. Returns QEMU's arguments, the files' labels and the guest's
 * image label.
 */
async function run(devices: string, paths: readonly string[]) {
  await startDomain(nodeOn(machine), domainXml({ devices, lifecycle: MEMORY }));
  const record = readRecord(nodeOn(machine), UUID);
  const words = machine.processes.qemuOf(UUID)?.words ?? [];
  const labels = paths.map((path) => labelOf(machine, path));
  expect(machine.violations).toEqual([]);
  const granted = [...machine.files.walk()].filter(({ inode }) => inode.acl.size > 0);
  expect(granted.map(({ path }) => path)).toEqual([]);
  await destroyDomain(nodeOn(machine), "vm1");
  return { words, labels, imageLabel: record?.label.imageLabel };
}

describe("a start", () => {
  // libvirt security_selinux.c virSecuritySELinuxSetInputLabel(), SetMemoryLabel(), SetPstoreLabel()
  test.each([
    ["a device of the host's for its keys", EVDEV, "/dev/input/event3"],
    ["a device of the host's in the guest", PASSED, "/dev/input/event3"],
    ["memory that is a file", PMEM, "/var/lib/images/pmem"],
  ])("labels %s as the guest's own, and puts the label back", async (_, devices, path) => {
    const before = snapshot(machine);
    const { imageLabel, labels, words } = await run(devices, [path]);
    expect(labels).toEqual([imageLabel]);
    expect(words.join(" ")).not.toContain(path);
    expect(words.join(" ")).toMatch(/\/proc\/self\/fd\/\d+/);
    expect(snapshot(machine)).toEqual(before);
  });

  test("makes the file of a guest's last words where there is none, and leaves it to the guest", async () => {
    const { imageLabel, labels } = await run(PSTORE, ["/var/lib/images/erst"]);
    expect(labels).toEqual([imageLabel]);
    expect(machine.files.get("/var/lib/images/erst").mode).toBe(0o600);
    expect(labelOf(machine, "/var/lib/images/erst")).not.toContain("svirt_image_t");
  });

  test("refuses a device that is none of a person's hands", async () => {
    putNode(machine, "/dev/hidden", { node: "1:1", type: "memory_device_t" });
    machine.files.put("/dev/input/mem", "symlink", { target: "/dev/hidden" });
    const error = await failedStart(machine, { devices: EVDEV.replace("event3", "mem") });
    expect(error).toMatchObject({
      kind: "unsupported",
      message: "Cannot give /dev/input/mem to the guest: it is the device 1:1, not an input device",
    });
  });

  test.each([EVDEV.replace("event3", "event9"), PMEM.replace("images/pmem", "images/none")])(
    "refuses what is not there: %s",
    async (devices) => {
      const error = await failedStart(machine, { devices, lifecycle: MEMORY });
      expect(error).toMatchObject({ kind: "not-found" });
    },
  );

  test("gives a device to one guest only", async () => {
    await startDomain(nodeOn(machine), domainXml({ devices: EVDEV }));
    const before = snapshot(machine);
    const second = domainXml({ name: "vm2", uuid: OTHER, devices: PASSED });
    expect(await errorOf(startDomain(nodeOn(machine), second))).toMatchObject({ kind: "in-use" });
    expect(snapshot(machine)).toEqual(before);
  });
});

describe("a file that the guest's firmware reads", () => {
  const xml = (name: string, uuid: string): Uint8Array => {
    const text = new TextDecoder().decode(domainXml({ name, uuid }));
    return new TextEncoder().encode(
      text
        .replace("</os>", "<acpi><table type='slic'>/var/lib/images/slic</table></acpi></os>")
        .replace(
          "<devices>",
          "<sysinfo type='fwcfg'><entry name='opt/org.example/a' file='/var/lib/images/value'/></sysinfo><devices>",
        ),
    );
  };

  test("is content, shared by guests, until the last of them ends", async () => {
    const files = ["/var/lib/images/slic", "/var/lib/images/value"];
    const before = snapshot(machine);
    await startDomain(nodeOn(machine), xml("vm1", UUID));
    await startDomain(nodeOn(machine), xml("vm2", OTHER));
    const content = "system_u:object_r:virt_content_t:s0";
    expect(files.map((file) => labelOf(machine, file))).toEqual([content, content]);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(files.map((file) => labelOf(machine, file))).toEqual([content, content]);
    await destroyDomain(nodeOn(machine), "vm2");
    expect(snapshot(machine)).toEqual(before);
  });

  test("must be readable for the guest's user", async () => {
    machine.files.get("/var/lib/images/slic").mode = 0o600;
    const error = await errorOf(startDomain(nodeOn(machine), xml("vm1", UUID)));
    expect(error).toMatchObject({ kind: "denied", remedy: "Run: chmod o+r /var/lib/images/slic" });
  });
});

describe("a kernel that only its owner may read, as in a volume", () => {
  const xml = (name: string, uuid: string, kernel: string): Uint8Array => {
    const text = new TextDecoder().decode(domainXml({ name, uuid }));
    return new TextEncoder().encode(text.replace("</os>", `<kernel>${kernel}</kernel></os>`));
  };

  test("is readable for each guest's user while QEMU opens it", async () => {
    const kernel = "/var/lib/images/value";
    machine.files.get(kernel).mode = 0o600;
    const before = snapshot(machine);
    await startDomain(nodeOn(machine), xml("vm1", UUID, kernel));
    await startDomain(nodeOn(machine), xml("vm2", OTHER, kernel));
    for (const uuid of [UUID, OTHER]) {
      const { steps = [], uid } = readRecord(nodeOn(machine), uuid) ?? {};
      const granted = steps.flatMap((step) =>
        step.do === "grant" ? [{ path: step.file.path, access: step.access, uid: step.uid }] : [],
      );
      expect(granted).toEqual([{ path: kernel, access: "read-only", uid: uid ?? 0 }]);
    }
    expect([...machine.files.walk()].filter(({ inode }) => inode.acl.size > 0)).toEqual([]);
    await destroyDomain(nodeOn(machine), "vm1");
    await destroyDomain(nodeOn(machine), "vm2");
    expect(snapshot(machine)).toEqual(before);
  });

  test("is refused if it is the host's", async () => {
    machine.files.putFolder("/boot").xattrs.set("security.selinux", "system_u:object_r:boot_t:s0");
    machine.files.put("/boot/vmlinuz", "file", { mode: 0o600 });
    const before = snapshot(machine);
    const error = await errorOf(startDomain(nodeOn(machine), xml("vm1", UUID, "/boot/vmlinuz")));
    expect(error).toMatchObject({ kind: "denied", remedy: "Run: chmod o+r /boot/vmlinuz" });
    expect(snapshot(machine)).toEqual(before);
  });
});
