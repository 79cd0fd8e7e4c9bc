import { beforeEach, describe, expect, test } from "bun:test";
import { describe as describeStep } from "../../../src/plan/steps/describe.ts";
import { attachDevice, detachDevice, updateDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { comesAndGoesWhole, deviceOf, recordOf, wholeState } from "../../scenes/hotplug.ts";
import { nbdDisk, SHARED_MEMORY, SOCKET, VHOST_USER_DISK, withSocket } from "../../scenes/peer.ts";
import { domainXml, errorOf, labelOf, nodeOn, ORIGINAL, sweepAll } from "../../scenes/scene.ts";

const ASK = { key: "vm1", options: { live: true }, isDryRun: false } as const;
const OTHER = "11111111-2222-4333-8444-000000000002";
const SECOND = nbdDisk().replace("vda", "vdb").replace("name='x'", "name='y'");
const EGD = `<rng model='virtio'><backend model='egd' type='unix'><source mode='connect' path='${SOCKET}'/></backend></rng>`;
let machine: Machine;

beforeEach(() => {
  machine = withSocket();
});

const start = (devices: string, more: object = {}) =>
  startDomain(nodeOn(machine), domainXml({ devices, lifecycle: SHARED_MEMORY, ...more }));
const attach = (device: string) => attachDevice(nodeOn(machine), ASK, deviceOf(device));
const detach = (device: string) => detachDevice(nodeOn(machine), ASK, deviceOf(device));

describe("a device that another program serves and that comes to a guest that runs", () => {
  test.each([
    ["a disk by NBD", nbdDisk(), "private"],
    ["a disk by vhost-user", VHOST_USER_DISK, "private"],
    ["randomness", EGD, "system_u:object_r:svirt_image_t:s0"],
  ])("%s has its socket labelled until it has gone again", async (_, device, label) => {
    const { guest } = await start("");
    const before = wholeState(machine);
    await attach(device);
    expect(labelOf(machine, SOCKET)).toBe(label === "private" ? (guest.label.imageLabel ?? "") : label);
    expect(wholeState(machine)).not.toEqual(before);
    expect(machine.violations).toEqual([]);
    await detach(device);
    expect(wholeState(machine)).toEqual(before);
    expect(recordOf(machine).steps.map(describeStep)).toEqual(guest.steps.map(describeStep));
  });

  test("is told QEMU by the connection's name, and nothing by its path", async () => {
    await start("");
    await attach(nbdDisk());
    await attach(SECOND);
    const plugs = recordOf(machine).steps.flatMap((step) => (step.do === "plug" ? [step] : []));
    expect(plugs.map(({ peers = [] }) => peers.map(({ name }) => name))).toEqual([["peer0"], ["peer1"]]);
    const { guest } = await start("");
    expect(plugs[0]?.peers).toMatchObject([
      { uid: guest.uid, context: guest.label.label?.replace(/svirt_(?:tcg_)?t/, "svirt_peer_t") },
    ]);
    expect(plugs[0]?.commands[0]).toEqual({
      execute: "blockdev-add",
      arguments: expect.objectContaining({ driver: "nbd", server: { type: "fd", str: "peer0" } }),
    });
    expect(JSON.stringify(plugs.map(({ commands }) => commands))).not.toContain(SOCKET);
  });

  test("keeps the socket's label while another of the guest's devices is served there", async () => {
    const { guest } = await start(nbdDisk());
    await attach(SECOND);
    await detach(nbdDisk());
    expect(labelOf(machine, SOCKET)).toBe(guest.label.imageLabel ?? "");
    await detach(SECOND);
    expect(labelOf(machine, SOCKET)).toBe(ORIGINAL);
  });

  test.each([nbdDisk(), VHOST_USER_DISK])(
    "one from the guest's start gives its socket back when it goes: %s",
    async (device) => {
      await start(device);
      await detach(device);
      expect(labelOf(machine, SOCKET)).toBe(ORIGINAL);
    },
  );

  test.each(["getfd", "blockdev-add", "device_add"])("is undone where QEMU refuses %s", async (command) => {
    await start("");
    const before = wholeState(machine);
    machine.qemu = { refuses: command };
    expect((await errorOf(attach(nbdDisk()))).kind).toBe("failed");
    machine.qemu = {};
    await sweepAll(machine);
    expect(wholeState(machine)).toEqual(before);
  });

  test("is a medium that a drive is given, and its socket has its label back with the next one", async () => {
    const drive = (source: string, type = "network"): string =>
      `<disk type='${type}' device='cdrom'><driver name='qemu' type='raw'/>${source}<target dev='hdc' bus='ide'/></disk>`;
    const source = `<source protocol='nbd' name='x'><host transport='unix' socket='${SOCKET}'/></source>`;
    await start(drive("<source file='/var/lib/images/install.iso'/>", "file"));
    const change = (xml: string) =>
      updateDevice(nodeOn(machine), ASK, { device: deviceOf(xml), force: false });
    await change(drive(source));
    expect(labelOf(machine, SOCKET)).toBe("system_u:object_r:svirt_image_t:s0");
    expect(labelOf(machine, "/var/lib/images/install.iso")).toBe(ORIGINAL);
    const plug = recordOf(machine).steps.find((step) => step.do === "plug");
    expect(JSON.stringify(plug?.commands)).toContain('"server":{"type":"fd","str":"peer0"}');
    await change(drive("<source file='/var/lib/images/install.iso'/>", "file"));
    expect(labelOf(machine, SOCKET)).toBe(ORIGINAL);
    expect(machine.violations).toEqual([]);
  });

  test("that sees the guest's memory is refused where that is not shared", async () => {
    await start("", { lifecycle: "" });
    const before = wholeState(machine);
    const error = await errorOf(attach(VHOST_USER_DISK));
    expect(error.message).toContain("requires shared guest memory");
    expect(wholeState(machine)).toEqual(before);
  });

  test("is not taken from another guest", async () => {
    await start("", { name: "vm2", uuid: OTHER });
    await start("");
    await attachDevice(nodeOn(machine), { ...ASK, key: "vm2" }, deviceOf(nbdDisk()));
    expect((await errorOf(attach(nbdDisk()))).kind).toBe("in-use");
  });
});

test.each([
  ["by NBD", nbdDisk()],
  ["by vhost-user", VHOST_USER_DISK],
])(
  "a disk that is served %s comes and goes whole or not at all, wherever svirt is killed meanwhile",
  async (_, device) => {
    await comesAndGoesWhole(device, async () => {
      const made = withSocket();
      await startDomain(nodeOn(made), domainXml({ lifecycle: SHARED_MEMORY }));
      return made;
    });
  },
  120_000,
);
