import { beforeEach, describe, expect, test } from "bun:test";
import { registryLock, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { machineWithGroups } from "../../scenes/groups.ts";
import { nbdDisk, SHARED_MEMORY, SOCKET, VHOST_USER_DISK, withSocket } from "../../scenes/peer.ts";
import {
  domainXml,
  errorOf,
  failedStart,
  labelOf,
  nodeOn,
  orderOf,
  reapAll,
  UUID,
} from "../../scenes/scene.ts";
import { leavesNothing, type Work, withoutInodes } from "../../scenes/strikes.ts";

const OTHER = "11111111-2222-4333-8444-000000000002";
const SERIAL = `<serial type='unix'><source mode='connect' path='${SOCKET}'/></serial>`;
const EGD = `<rng model='virtio'><backend model='egd' type='unix'><source mode='connect' path='${SOCKET}'/></backend></rng>`;
const CARD =
  "<interface type='vhostuser'><mac address='52:54:00:00:00:01'/><source type='unix' path='/srv/card.sock' mode='server'/><model type='virtio'/></interface>";
/** Time for hundreds of kills: a busy machine needs more than the runner's five seconds. */
const TIMEOUT_MS = 120_000;

let machine: Machine;

beforeEach(() => {
  machine = withSocket();
});

const start = (devices: string, more: object = {}) =>
  startDomain(nodeOn(machine), domainXml({ devices, lifecycle: SHARED_MEMORY, ...more }));

describe("a device that another program serves", () => {
  // Arguments of libvirt but for `fd=`: qemuxmlconfdata of libvirt, disk-vhostuser, vhost-user-fs-sock,
  // tpm-external, virtio-rng-egd-unix, serial-unix-chardev.
  test.each([
    [VHOST_USER_DISK, "socket,id=chr-vu-virtio-disk0,fd=4"],
    [
      `<filesystem><driver type='virtiofs'/><source socket='${SOCKET}'/><target dir='a'/></filesystem>`,
      "socket,id=chr-vu-fs0,fd=4",
    ],
    [
      `<tpm><backend type='external'><source type='unix' mode='connect' path='${SOCKET}'/></backend></tpm>`,
      "socket,id=chrtpm,fd=4",
    ],
    [EGD, "socket,id=charrng0,fd=4"],
    [SERIAL, "socket,id=charserial0,fd=4"],
    [
      nbdDisk(),
      '{"driver":"nbd","server":{"type":"fd","str":"4"},"export":"x","node-name":"libvirt-1-storage","read-only":false}',
    ],
  ])("gets a connection of the guest's level, and no path: %s", async (devices, word) => {
    const { guest } = await start(devices);
    const { peers, words } = orderOf(machine);
    expect(words).toContain(word);
    expect(words.join(" ")).not.toContain(SOCKET);
    const context = guest.label.label?.replace(/svirt_(?:tcg_)?t/, "svirt_peer_t");
    expect(context).toContain(":svirt_peer_t:s0:c");
    expect(peers).toEqual([{ fd: 4, socket: expect.objectContaining({ path: SOCKET }), context } as never]);
  });

  test("has its socket's label changed while the guest runs, and then it is as it was", async () => {
    const before = snapshot(machine);
    const planned = await planDomainStart(nodeOn(machine), domainXml({ devices: SERIAL }));
    expect(snapshot(machine)).toEqual(before);
    const { guest } = await start(SERIAL);
    expect(guest.steps.map((step) => step.do)).toEqual(planned.map((step) => step.do));
    expect(labelOf(machine, SOCKET)).toBe(guest.label.imageLabel ?? "");
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });

  test("has it to itself", async () => {
    await start(SERIAL);
    const error = await failedStart(machine, { name: "vm2", uuid: OTHER, devices: SERIAL });
    expect(error.kind).toBe("in-use");
  });

  test.each([
    ["randomness", EGD],
    ["an export that is only read", nbdDisk("<readonly/>")],
    ["an export that guests share", nbdDisk("<shareable/>")],
  ])("shares it where it is %s, with the label that guests share", async (_, devices) => {
    const [one, two] = [await start(devices), await start(devices, { name: "vm2", uuid: OTHER })];
    expect([one.did, two.did]).toEqual([true, true]);
    expect(labelOf(machine, SOCKET)).toBe("system_u:object_r:svirt_image_t:s0");
  });

  test("does not make a guest one that uses the network", async () => {
    const { guest } = await start(nbdDisk());
    expect(guest.label.label).toContain(":svirt_t:");
  });

  test("two of them on one server have a connection each", async () => {
    await start(nbdDisk() + nbdDisk().replace("name='x'", "name='y'").replace("vda", "vdb"));
    const { peers, words } = orderOf(machine);
    expect(peers?.map(({ fd }) => fd)).toEqual([4, 5]);
    const exports = words.filter((word) => word.includes('"driver":"nbd"'));
    expect(exports).toEqual([
      expect.stringContaining('"str":"4"},"export":"x"'),
      expect.stringContaining('"str":"5"},"export":"y"'),
    ]);
  });

  test("that sees the guest's memory is refused where that is not shared", async () => {
    const devices = VHOST_USER_DISK;
    const error = await errorOf(startDomain(nodeOn(machine), domainXml({ devices })));
    expect([error.kind, error.message]).toEqual([
      "unsupported",
      expect.stringContaining("requires shared guest memory"),
    ]);
  });

  test("a network card waits for its program in the guest's own folder, and a link leads there", async () => {
    const before = snapshot(machine);
    const path = "/srv/card.sock";
    const { guest } = await start(CARD);
    const own = `/run/svirt/${UUID}/guest/card0.sock`;
    expect(machine.files.find(path, false)?.inode.target).toBe(own);
    expect(machine.files.find(path, false)?.inode.xattrs.get("security.selinux")).toBe(
      guest.label.imageLabel,
    );
    // Argument of libvirt but for the path: qemuxmlconfdata of libvirt, net-vhostuser.
    expect(orderOf(machine).words).toContain(`socket,id=charnet0,path=${own},server=on`);
    expect(guest.label.label).toContain(":svirt_t:");
    const other = { name: "vm2", uuid: OTHER };
    expect((await errorOf(start(CARD, other))).kind).toBe("in-use");
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    machine.files.remove("/var/log/svirt/vm1.log");
    expect(snapshot(machine)).toEqual(before);
    machine.files.put(path, "file");
    expect((await errorOf(start(CARD))).message).toContain(path);
    expect(machine.files.find(path)?.inode.type).toBe("file");
  });

  test("has all that comes before its processes made under the registry's lock", async () => {
    const own = machineWithGroups();
    own.files.putFolder("/srv");
    const unlocked: string[] = [];
    await startDomain(nodeOn(own), domainXml({ devices: CARD, lifecycle: SHARED_MEMORY }), {
      observer: (moment, { do: name }) => {
        if (moment === "before" && !own.locks.has(registryLock(SYSTEM_PATHS))) unlocked.push(name);
      },
    });
    expect(unlocked).toEqual(["spawn", "greet", "check-context", "resume"]);
  });

  test("is refused at a socket of the host's own", async () => {
    machine.files.putFolder("/run/svirt");
    machine.files.put("/run/svirt/x.sock", "socket");
    const devices = SERIAL.replace(SOCKET, "/run/svirt/x.sock");
    expect((await errorOf(start(devices))).message).toContain("it belongs to the host");
  });
});

describe("killed before, within and after every call that changes something,", () => {
  const begin: Work = (node) =>
    startDomain(node, domainXml({ devices: CARD + VHOST_USER_DISK, lifecycle: SHARED_MEMORY }));
  const end: Work = (node) => destroyDomain(node, "vm1");
  const prepared = async (): Promise<Machine> => {
    const made = withSocket();
    await begin(nodeOn(made));
    return made;
  };

  test.each([
    ["a start", async () => withSocket(), begin],
    ["an end", prepared, end],
  ])(
    "%s of a guest with a link to its socket and a socket of another's leaves nothing of the guest's",
    async (name, prepare, work) => {
      await leavesNothing({ name, prepare, work }, { clean: withoutInodes(withSocket()), end });
    },
    TIMEOUT_MS,
  );
});
