import { describe, expect, test } from "bun:test";
import type { Instance } from "../../../src/state/instance.ts";
import { getScreen, type Screen } from "../../../src/vm/query/guest-screen.ts";
import { openScreen } from "../../../src/vm/screen/open-screen.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { domainXml, errorOf, makeMachine, nodeOn, putText, UUID } from "../../scenes/scene.ts";

const [OWN, FOREIGN] = [7001, 7002];
const TITLE =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

/**
 * Writes the kernel's table of listeners, as it shows an address, a port in hexadecimal digits and a socket's
 * number.
 */
function listen(machine: Machine, file: "tcp" | "tcp6", ...lines: readonly [string, string, number][]): void {
  const rows = lines.map(([address, port, inode], at) => {
    const none = "0".repeat(address.length);
    return `${String(at).padStart(4)}: ${address}:${port} ${none}:0000 0A 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0\n`;
  });
  putText(machine, `/proc/net/${file}`, TITLE + rows.join(""));
}

interface Running {
  readonly machine: Machine;
  readonly instance: Instance;
  readonly screen: Screen;
  /** Addresses and sockets that svirt was connected to. */
  readonly talks: readonly string[];
}

/** Starts vm1 with a screen. Its process has the socket OWN. */
async function running(listens: string): Promise<Running> {
  const machine = makeMachine();
  const node = nodeOn(machine);
  machine.files.putFolder("/proc/net");
  await startDomain(node, domainXml({ devices: `<graphics type='vnc'>${listens}</graphics>` }));
  const own = [{ fd: 9, target: `socket:[${OWN}]`, label: undefined, id: undefined }];
  const host = { ...node.host, listOpenFiles: () => own };
  const talks: string[] = [];
  machine.duringTalk = async (path) => void talks.push(path);
  const instance = { ...node, host };
  return { machine, instance, talks, screen: getScreen(instance, UUID) };
}

const LOOPBACK = "<listen type='address' address='127.0.0.1'/>";

describe("openScreen()", () => {
  test.each<[string, string, "tcp" | "tcp6", string, Screen, string]>([
    [
      "of IPv4",
      LOOPBACK,
      ...(["tcp", "0100007F", { address: "127.0.0.1", port: 5900 }, "127.0.0.1:5900"] as const),
    ],
    [
      "of IPv6",
      "<listen type='address' address='::1'/>",
      "tcp6",
      "00000000000000000000000001000000",
      ...([{ address: "::1", port: 5900 }, "::1:5900"] as const),
    ],
    [
      "on every address, by any name of the host",
      "<listen type='address' address='0.0.0.0'/>",
      ...(["tcp", "00000000", { address: "node-1", port: 5900 }, "127.0.0.1:5900"] as const),
    ],
  ])("connects to the port of a screen %s", async (...[, listens, file, shown, wanted, expected]) => {
    const { instance, machine, talks } = await running(listens);
    listen(machine, file, [shown, "170C", OWN]);
    await openScreen(instance, wanted);
    expect(talks).toEqual([expected]);
  });

  test("connects to the socket of a screen", async () => {
    const { instance, machine, screen, talks } = await running("<listen type='socket'/>");
    if (!("socket" in screen)) throw new Error("The screen is no socket");
    machine.files.put(screen.socket, "socket");
    const uid = machine.processes.list().find(({ command }) => command.startsWith("qemu"))?.uid ?? 0;
    machine.files.get(screen.socket).uid = uid;
    await openScreen(instance, screen);
    expect(talks).toEqual([screen.socket]);
    machine.files.get(screen.socket).uid = 1000;
    machine.files.get(screen.socket).xattrs.clear();
    expect((await errorOf(openScreen(instance, screen))).kind).toBe("denied");
  });

  test.each([
    ["a link to a socket of root", true],
    ["root's own socket", false],
  ])("refuses %s in its place, also without labels", async (_, isLink) => {
    const { instance, machine, screen, talks } = await running("<listen type='socket'/>");
    if (!("socket" in screen)) throw new Error("The screen is no socket");
    const path = isLink ? "/run/docker.sock" : screen.socket;
    machine.files.put(path, "socket").uid = 0;
    if (isLink) machine.files.put(screen.socket, "symlink", { target: path });
    const { kind, message } = await errorOf(openScreen(instance, screen));
    expect([kind, talks]).toEqual(["denied", []]);
    expect(message).toContain("the file is not the guest's socket");
  });

  test.each<[string, Screen]>([
    ["another port", { address: "127.0.0.1", port: 22 }],
    ["another address", { address: "127.0.0.2", port: 5900 }],
    ["a name of the host", { address: "localhost", port: 5900 }],
    ["another socket", { socket: "/run/svirt/monitor.sock" }],
  ])("refuses %s than that of a running guest", async (_, wanted) => {
    const { instance, machine, talks } = await running(LOOPBACK);
    listen(machine, "tcp", ["0100007F", "170C", OWN], ["0100007F", "0016", OWN]);
    const { kind, message } = await errorOf(openScreen(instance, wanted));
    expect([kind, talks]).toEqual(["denied", []]);
    expect(message).toContain("no running guest has its screen there");
  });

  test.each<[string, readonly (readonly [string, string, number])[]]>([
    ["by another program", [["0100007F", "170C", FOREIGN]]],
    [
      "by another program too",
      [
        ["0100007F", "170C", OWN],
        ["0100007F", "170C", FOREIGN],
      ],
    ],
    ["by none", []],
    ["by the guest elsewhere", [["0200007F", "170C", OWN]]],
  ])("refuses a port that is listened on %s", async (_, lines) => {
    const { instance, machine, screen, talks } = await running(LOOPBACK);
    listen(
      machine,
      "tcp",
      ...lines.map(([address, port, inode]) => [address, port, inode] as [string, string, number]),
    );
    const { kind, message } = await errorOf(openScreen(instance, screen));
    expect([kind, talks]).toEqual(["denied", []]);
    expect(message).toContain("the guest's process does not listen there");
  });

  test("refuses a port that another program gets while svirt connects", async () => {
    const { instance, machine, screen, talks } = await running(LOOPBACK);
    listen(machine, "tcp", ["0100007F", "170C", OWN]);
    const host = {
      ...instance.host,
      talk: async (...[to, how]: Parameters<typeof instance.host.talk>) => {
        listen(machine, "tcp", ["0100007F", "170C", FOREIGN]);
        return await instance.host.talk(to, how);
      },
    };
    expect((await errorOf(openScreen({ ...instance, host }, screen))).kind).toBe("denied");
    expect(talks).toEqual([]);
  });

  test("refuses the screen of a guest that has ended", async () => {
    const { instance, machine, screen } = await running(LOOPBACK);
    listen(machine, "tcp", ["0100007F", "170C", OWN]);
    for (const { command, pid } of machine.processes.list())
      if (command.startsWith("qemu")) machine.processes.end(pid, 0);
    expect((await errorOf(openScreen(instance, screen))).kind).toBe("denied");
  });
});
