import { describe, expect, test } from "bun:test";
import { AGENT_PORT } from "../../src/qemu/agent/agent-port.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { domainXml, nodeOn, UUID } from "../scenes/scene.ts";
import { makePoolMachine } from "../scenes/volumes.ts";
import { call, domain, errorIn, text, word } from "./remote-client.ts";
import { CHANNEL, CONSOLE, connect, ERROR, OK, STREAM } from "./stream-client.ts";

const VM1 = domain("vm1", UUID, 1);
const named = (name: string): string =>
  `<channel type='unix'><target type='virtio' name='${name}'/></channel>`;
const DEVICES =
  named("org.example.0") +
  named(AGENT_PORT) +
  `<channel type='pty'><target type='virtio' name='org.example.2'/></channel>` +
  `<channel type='null'><target type='virtio' name='org.example.3'/></channel>`;

/** Returns a machine with a guest that has channels, and the paths that clients have opened. */
async function machineWith(
  devices: string,
): Promise<{ readonly machine: Machine; readonly opened: string[] }> {
  const machine = makePoolMachine();
  const chardev = { label: "charchannel2", filename: "pty:/dev/pts/7" };
  machine.qemu = { answers: new Map([["query-chardev", [chardev]]]) };
  await startDomain(nodeOn(machine), domainXml({ devices }));
  // QEMU of the machine makes no sockets.
  const socket = machine.files.put(`/run/svirt/${UUID}/guest/channel0.sock`, "socket");
  socket.uid = 0x70000000 + 1;
  machine.files.putFolder("/dev/pts");
  machine.files.put("/dev/pts/7", "character", { uid: 0x70000000 + 1, node: "136:7" });
  const opened: string[] = [];
  machine.openConsole = (path) => {
    opened.push(path);
    const end = Promise.withResolvers<undefined>();
    return { next: () => end.promise, put: async () => undefined, close: async () => end.resolve(undefined) };
  };
  return { machine, opened };
}

/** Returns a call: `name` is optional in XDR. */
function open(
  name: string | undefined,
  { procedure = CHANNEL as number, serial = CHANNEL as number, flags = 0 } = {},
): string {
  return call(procedure, VM1 + (name === undefined ? word(0) : word(1) + text(name)) + word(flags), {
    serial,
  });
}

describe("virDomainOpenChannel()", () => {
  test.each([
    [undefined, "/run/svirt/", "channel0"],
    ["org.example.0", "/run/svirt/", "channel0"],
    ["channel0", "/run/svirt/", "channel0"],
    ["org.example.2", "/dev/pts/7", ""],
  ] as const)("opens the channel %s", async (name, folder, id) => {
    const { machine, opened } = await machineWith(DEVICES);
    const client = connect(machine, open(name));
    expect((await client.packets(1))[0]).toMatchObject({ type: 1, status: OK });
    expect(opened).toHaveLength(1);
    expect(opened[0]).toStartWith(folder);
    expect(opened[0]).toContain(id);
    await client.leave();
    expect([...machine.locks]).toEqual([]);
  });

  // Numbers and words of qemuDomainOpenChannel() of libvirt 11.3: VIR_ERR_INTERNAL_ERROR
  test.each([
    ["org.example.9", DEVICES, { code: 1, message: expect.stringContaining("cannot find channel") }],
    ["serial0", DEVICES, { code: 1, message: expect.stringContaining("cannot find channel") }],
    ["org.example.3", DEVICES, { code: 1, message: expect.stringContaining("not using a UNIX socket") }],
    [undefined, "<serial type='pty'/>", { code: 1, message: expect.stringContaining("cannot find channel") }],
  ] as const)("refuses %s as libvirt does", async (name, devices, expected) => {
    const { machine, opened } = await machineWith(devices);
    const client = connect(machine, open(name));
    const [refused] = await client.packets(1);
    expect(refused === undefined ? refused : errorIn(refused)).toMatchObject(expected);
    expect(opened).toEqual([]);
    await client.leave();
  });

  // VIR_DOMAIN_CHANNEL_FORCE, and VIR_DOMAIN_CONSOLE_FORCE of virDomainOpenConsole()
  test.each([
    [CHANNEL, AGENT_PORT],
    [CHANNEL, "channel1"],
    [CONSOLE, "channel1"],
  ])("does not give away the agent's channel, even by force: procedure %i, %s", async (procedure, name) => {
    const { machine, opened } = await machineWith(DEVICES);
    machine.files.put(`/run/svirt/${UUID}/guest/channel1.sock`, "socket").uid = 0x70000000 + 1;
    const client = connect(machine, open(name, { procedure, flags: 1 }));
    const [refused] = await client.packets(1);
    expect(refused === undefined ? refused : errorIn(refused)).toMatchObject({
      code: 84,
      message: expect.stringContaining("guest's agent"),
    });
    expect(opened).toEqual([]);
    await client.leave();
  });

  test("has one stream at a time, which VIR_DOMAIN_CHANNEL_FORCE ends", async () => {
    const { machine } = await machineWith(DEVICES);
    const client = connect(machine, open(undefined));
    await client.packets(1);
    client.send(open("channel0", { serial: 1 }));
    const [, refused] = await client.packets(2);
    // VIR_ERR_OPERATION_FAILED
    expect(refused === undefined ? refused : errorIn(refused)).toMatchObject({
      code: 9,
      message: expect.stringContaining("Active channel stream exists for this domain"),
    });
    client.send(open("org.example.0", { serial: 2, flags: 1 }));
    const after = (await client.packets(4)).slice(2);
    expect(after.find(({ serial }) => serial === 2)).toMatchObject({ type: 1, status: OK });
    expect(after.find(({ serial }) => serial === CHANNEL)).toMatchObject({ type: STREAM, status: ERROR });
    await client.leave();
    expect([...machine.locks]).toEqual([]);
  });
});
