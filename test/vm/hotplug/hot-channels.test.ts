import { beforeEach, describe, expect, test } from "bun:test";
import { attachDevice, detachDevice, updateDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { formatLive } from "../../../src/vm/query/live-xml.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { comesAndGoesWhole, deviceOf, recordOf, wholeState } from "../../scenes/hotplug.ts";
import { SOCKET, withSocket } from "../../scenes/peer.ts";
import { domainXml, errorOf, labelOf, nodeOn, ORIGINAL, sweepAll, UUID } from "../../scenes/scene.ts";

const ASK = { key: "vm1", options: { live: true }, isDryRun: false } as const;
const PING = '{"execute":"guest-ping"}';
const CONTROLLER = "<controller type='virtio-serial' index='0'/>";
const AGENT = channel("org.qemu.guest_agent.0");
const SERVED = channel("peer", `<source mode='connect' path='${SOCKET}'/>`);
let machine: Machine;

/**
 * Returns the XML of a channel with that name in the guest. Without a source, svirt chooses the socket's
 * path.
 */
function channel(name: string, source = "", type = "unix"): string {
  return `<channel type='${type}'>${source}<target type='virtio' name='${name}'/></channel>`;
}

const start = (devices: string) => startDomain(nodeOn(machine), domainXml({ devices }));
const attach = (device: string) => attachDevice(nodeOn(machine), ASK, deviceOf(device));
const detach = (device: string) => detachDevice(nodeOn(machine), ASK, deviceOf(device));
const lastPlug = () => recordOf(machine).steps.findLast((step) => step.do === "plug");

/** Returns the alias, port and socket path of a channel in the running guest's XML. */
function shown(name: string): readonly (string | undefined)[] {
  const all = formatLive(nodeOn(machine), recordOf(machine)).split("<channel ");
  const one = all.find((text) => text.includes(`name='${name}'`)) ?? "";
  return [/alias name='([^']*)/, /port='([^']*)/, /source [^>]*path='([^']*)/].map(
    (pattern) => pattern.exec(one)?.[1],
  );
}

const own = (id: string): string => `/run/svirt/${UUID}/guest/${id}.sock`;

beforeEach(() => {
  machine = withSocket();
});

describe("a channel that comes to a guest that runs", () => {
  test("has a socket that QEMU makes in the guest's own folder, and leaves nothing behind", async () => {
    await start(CONTROLLER);
    const before = wholeState(machine);
    await attach(AGENT);
    const data = { addr: { type: "unix", data: { path: own("channel0") } }, server: true, wait: false };
    expect(lastPlug()?.commands).toEqual([
      { execute: "chardev-add", arguments: { id: "charchannel0", backend: { type: "socket", data } } },
      {
        execute: "device_add",
        arguments: {
          driver: "virtserialport",
          bus: "virtio-serial0.0",
          nr: 1,
          chardev: "charchannel0",
          id: "channel0",
          name: "org.qemu.guest_agent.0",
        },
      },
    ]);
    expect(shown("org.qemu.guest_agent.0")).toEqual(["channel0", "1", own("channel0")]);
    await detach(AGENT);
    expect(wholeState(machine)).toEqual(before);
  });

  // Clients of libvirt detach an agent in this form. qemuhotplug-qemu-agent-detach.xml
  test("goes by its name in the guest, wherever its socket is said to be", async () => {
    await start(CONTROLLER);
    const before = wholeState(machine);
    await attach(AGENT);
    const [, , path] = shown("org.qemu.guest_agent.0");
    await detach(channel("org.qemu.guest_agent.0", `<source mode='bind' path='${path}'/>`));
    expect(wholeState(machine)).toEqual(before);
    expect((await errorOf(detach(AGENT))).kind).toBe("not-found");
  });

  test("keeps its name in QEMU when one before it goes, and its agent is found by that", async () => {
    await start(channel("first"));
    await attach(AGENT);
    expect(shown("org.qemu.guest_agent.0")).toEqual(["channel1", "2", own("channel1")]);
    await detach(channel("first"));
    expect(shown("org.qemu.guest_agent.0")).toEqual(["channel1", "2", own("channel1")]);
    const socket = machine.files.put(own("channel1"), "socket", { uid: recordOf(machine).uid });
    socket.xattrs.set("security.selinux", recordOf(machine).label.imageLabel ?? "");
    machine.agent.answers = new Map([["guest-ping", { return: {} }]]);
    expect((await runOn(machine, "qemu-agent-command", "vm1", PING)).out).toBe('{"return":{}}\n\n');
    await attach(channel("third"));
    expect(shown("third")).toEqual(["channel2", "1", own("channel2")]);
  });

  test("that another program serves has that one's socket labelled until it has gone", async () => {
    await start(CONTROLLER);
    const before = wholeState(machine);
    await attach(SERVED);
    expect(labelOf(machine, SOCKET)).toBe(recordOf(machine).label.imageLabel ?? "");
    expect(lastPlug()).toMatchObject({ peers: [{ name: "peer0" }] });
    expect(JSON.stringify(lastPlug()?.commands)).not.toContain(SOCKET);
    expect(machine.violations).toEqual([]);
    await detach(SERVED);
    expect(labelOf(machine, SOCKET)).toBe(ORIGINAL);
    expect(wholeState(machine)).toEqual(before);
  });

  test.each(["chardev-add", "device_add"])("is undone where QEMU refuses %s", async (command) => {
    await start(CONTROLLER);
    const before = wholeState(machine);
    machine.qemu = { refuses: command };
    expect((await errorOf(attach(SERVED))).kind).toBe("failed");
    machine.qemu = {};
    await sweepAll(machine);
    expect(wholeState(machine)).toEqual(before);
  });

  test.each([
    ["a terminal", channel("x", "", "pty"), "type 'pty' cannot be hot-plugged"],
    ["a file", channel("x", "<source path='/srv/log'/>", "file"), "type 'file' cannot be hot-plugged"],
    [
      "a socket elsewhere",
      channel("x", "<source mode='bind' path='/srv/x.sock'/>"),
      "must be in the guest's folder",
    ],
    ["a log", channel("x", "<log file='/srv/log'/>"), "with a <log> cannot be hot-plugged"],
    [
      "a forwarded address",
      "<channel type='unix'><target type='guestfwd' address='10.0.2.1' port='4600'/></channel>",
      "guestfwd channel cannot be hot-plugged",
    ],
    [
      "a connection that is made again",
      channel("x", `<source mode='connect' path='${SOCKET}'><reconnect enabled='yes' timeout='1'/></source>`),
      "reconnect a guest",
    ],
    ["a name that the guest has", channel("first"), "chardev already exists: the domain has a channel first"],
  ])("with %s is refused, and nothing changes", async (_, device, message) => {
    await start(channel("first"));
    const before = wholeState(machine);
    expect((await errorOf(attach(device))).message).toContain(message);
    expect(wholeState(machine)).toEqual(before);
  });

  test("needs a controller that the guest was started with", async () => {
    await start("");
    const error = await errorOf(attach(AGENT));
    expect(error.message).toContain("needs the virtio-serial controller 0");
    expect(error.remedy).toContain("<controller type='virtio-serial' index='0'/>");
  });

  test("is not changed", async () => {
    await start(channel("first"));
    const device = deviceOf(channel("first"));
    const error = await errorOf(updateDevice(nodeOn(machine), ASK, { device, force: false }));
    expect(error.message).toContain("cannot modify device 'channel'");
  });
});

test("a channel from the start gives another program's socket back when it goes", async () => {
  await start(SERVED);
  await detach(SERVED);
  expect(labelOf(machine, SOCKET)).toBe(ORIGINAL);
});

test.each([
  channel("t", "", "pty"),
  channel("f", "<source path='/srv/log'/>", "file"),
  channel("s", "<source mode='bind' path='/srv/own.sock'/>"),
])("a channel from the start with more behind it than a socket stays: %s", async (device) => {
  await start(device);
  const before = wholeState(machine);
  expect((await errorOf(detach(device))).message).toContain(
    "cannot be detached if the guest was started with it",
  );
  expect(wholeState(machine)).toEqual(before);
});

test("the definition takes every kind of channel, and gives it back", async () => {
  const config = { ...ASK, options: { config: true } };
  machine.files.put("/vm.xml", "file", { bytes: domainXml({}) });
  expect((await runOn(machine, "define", "/vm.xml")).err).toBe("");
  await attachDevice(nodeOn(machine), config, deviceOf(channel("t", "", "pty")));
  expect((await runOn(machine, "dumpxml", "vm1")).out).toContain("<channel type='pty'>");
  await detachDevice(nodeOn(machine), config, deviceOf(channel("t", "", "pty")));
  expect((await runOn(machine, "dumpxml", "vm1")).out).not.toContain("<channel");
});

test("a channel comes and goes whole or not at all, wherever svirt is killed meanwhile", async () => {
  await comesAndGoesWhole(SERVED, async () => {
    machine = withSocket();
    await start(CONTROLLER);
    return machine;
  });
}, 120_000);
