import { beforeEach, describe, expect, test } from "bun:test";
import { parseDevice } from "../../../src/domain/device.ts";
import { readRecord } from "../../../src/state/record.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { putPciDevices } from "../../scenes/pci.ts";
import {
  diskXml,
  domainXml,
  errorOf,
  failedStart,
  labelOf,
  makeMachine,
  nodeOn,
  UUID,
} from "../../scenes/scene.ts";

const NBD =
  "<disk type='network' device='disk'><driver name='qemu' type='raw'/><source protocol='nbd' name='a'><host name='images.example.org'/></source><target dev='vda' bus='virtio'/></disk>";

let machine: Machine;

beforeEach(() => {
  machine = makeMachine();
  machine.files.get("/etc/selinux/svirt/contexts/virtual_domain_context").bytes = new TextEncoder().encode(
    ["svirt_t", "svirt_tcg_t", "svirt_net_t", "svirt_tcg_net_t"]
      .map((type) => `system_u:system_r:${type}:s0\n`)
      .join(""),
  );
});

const words = () => (machine.processes.qemuOf(UUID)?.words ?? []).join(" ");
const start = (disks: string) => startDomain(nodeOn(machine), domainXml({ disks }));

describe("a disk on the network", () => {
  test("is opened by QEMU, in the domain that may make connections, and nothing is labelled", async () => {
    const before = snapshot(machine);
    await start(NBD);
    expect(words()).toContain(
      '"driver":"nbd","server":{"type":"inet","host":"images.example.org","port":"10809"}',
    );
    expect(machine.processes.qemuOf(UUID)?.context).toStartWith("system_u:system_r:svirt_net_t:");
    await destroyDomain(nodeOn(machine), "vm1");
    expect(snapshot(machine)).toEqual(before);
  });

  test("is no reason for a guest without one to make connections", async () => {
    await start(diskXml("/var/lib/images/private1.raw", "vda"));
    expect(machine.processes.qemuOf(UUID)?.context).toStartWith("system_u:system_r:svirt_t:");
  });

  test.each([
    [
      "the server's socket",
      NBD.replace("<host name='images.example.org'/>", "<host transport='unix' socket='/run/g'/>").replace(
        "protocol='nbd' name='a'",
        "protocol='gluster' name='a/b'",
      ),
      "source/host/@transport",
    ],
    ["what may be below it", NBD.replace("type='raw'", "type='qcow2'"), "backingStore"],
    ["a key", NBD.replace("protocol='nbd'", "protocol='ssh'"), "source/@protocol"],
  ])("is refused for %s", async (_, disks, place) => {
    const error = await failedStart(machine, { disks });
    expect(error).toMatchObject({ kind: "unsupported" });
    expect(error.message).toStartWith(`Cannot start the guest: /domain/devices/disk[1]/${place}: `);
  });

  test("comes to no running guest whose domain may not make connections", async () => {
    await start(diskXml("/var/lib/images/private1.raw", "vda"));
    const device = parseDevice(new TextEncoder().encode(NBD.replaceAll("vda", "vdb")));
    const ask = { key: "vm1", options: { live: true }, isDryRun: false };
    const error = await errorOf(attachDevice(nodeOn(machine), ask, device));
    expect(error).toMatchObject({ kind: "denied" });
    expect(error.message).toStartWith("Cannot attach the disk: the guest was started without network access");
  });
});

describe("<iotune>", () => {
  const limited = diskXml(
    "/var/lib/images/private1.raw",
    "vda",
    "<iotune><total_iops_sec>100</total_iops_sec><total_iops_sec_max>200</total_iops_sec_max><total_iops_sec_max_length>2</total_iops_sec_max_length></iotune>",
  );

  // QEMU's BlockIOThrottle, qapi/block-core.json: the six values without _max are mandatory.
  test("is told QEMU before its vCPUs run", async () => {
    await start(limited);
    const resume = readRecord(nodeOn(machine), UUID)?.steps.find((step) => step.do === "resume");
    const commands = resume?.commands ?? [];
    expect(commands.map(({ execute }) => execute)).toEqual(["block_set_io_throttle", "cont"]);
    expect(commands[0]?.arguments).toMatchObject({
      id: "/machine/peripheral/virtio-disk0/virtio-backend",
      ...{ bps: 0, bps_rd: 0, bps_wr: 0, iops: 100, iops_rd: 0, iops_wr: 0 },
      ...{ iops_max: 200, iops_max_length: 2 },
    });
    expect(commands[0]?.arguments).not.toHaveProperty("bps_max_length");
  });
});

// https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms startupPolicy
describe("startupPolicy", () => {
  const missing = (policy: string, device: string, bus: string): string =>
    `<disk type='file' device='${device}'><source file='/var/lib/images/none' startupPolicy='${policy}'/><target dev='sda' bus='${bus}'/></disk>`;

  test("optional leaves a drive empty whose medium is not there", async () => {
    await start(missing("optional", "cdrom", "sata"));
    expect(words()).toContain('"driver":"ide-cd"');
    expect(words()).not.toContain('"drive":');
  });

  test("optional leaves out a disk that is not there", async () => {
    await start(missing("optional", "disk", "sata"));
    expect(words()).not.toContain('"driver":"ide-hd"');
  });

  test("optional keeps what is there", async () => {
    await start(missing("optional", "disk", "sata").replace("images/none", "images/private1.raw"));
    expect(labelOf(machine, "/var/lib/images/private1.raw")).toContain("svirt_image_t");
  });

  test.each(["mandatory", "requisite"])("%s refuses a start without it", async (policy) => {
    const error = await failedStart(machine, { disks: missing(policy, "cdrom", "sata") });
    expect(error).toMatchObject({ kind: "not-found" });
  });
});

test("an NVMe device is used by its VFIO group, which is labelled and opened by nobody else", async () => {
  putPciDevices(machine, [{ name: "0000:01:00.0", group: "7", driver: "vfio-pci" }]);
  const before = snapshot(machine);
  await start(
    "<disk type='nvme' device='disk'><driver name='qemu' type='raw'/><source type='pci' managed='no' namespace='1'><address domain='0' bus='1' slot='0' function='0'/></source><target dev='vda' bus='virtio'/></disk>",
  );
  expect(words()).toContain('"driver":"nvme","device":"0000:01:00.0","namespace":1');
  expect(labelOf(machine, "/dev/vfio/7")).toBe(readRecord(nodeOn(machine), UUID)?.label.imageLabel ?? "");
  expect(labelOf(machine, "/dev/vfio/vfio")).toBe("system_u:object_r:svirt_image_t:s0");
  await destroyDomain(nodeOn(machine), "vm1");
  expect(snapshot(machine)).toEqual(before);
});
