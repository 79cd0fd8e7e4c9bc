import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { diskXml, domainXml, errorOf, makeMachine, nodeOn, reapAll, sweepAll } from "../../scenes/scene.ts";
import { withoutInodes } from "../../scenes/strikes.ts";

const PATH = "/var/lib/images/serial.sock";
const ELSEWHERE = "/var/lib/images/elsewhere.sock";
const NO_LABEL = "<seclabel model='selinux' relabel='no'/>";

function xmlWithSocket(seclabel: string): Uint8Array {
  return domainXml({
    disks:
      `<serial type='unix'><source mode='bind' path='${PATH}'>${seclabel}</source></serial>` +
      diskXml("/var/lib/images/private1.raw", "vda"),
  });
}

async function machineWithSocket(seclabel = NO_LABEL): Promise<Machine> {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), xmlWithSocket(seclabel));
  return machine;
}

/**
 * Another program removes the guest's socket and listens at its path. Returns the number of the new socket.
 */
function replace(machine: Machine): string {
  machine.files.remove(PATH);
  return machine.files.put(PATH, "socket").inode;
}

describe("the end of a guest that listens at a path of its XML", () => {
  test.each([
    ["with the guest's label", ""],
    ["without a label", NO_LABEL],
  ])("removes its socket %s", async (_, seclabel) => {
    const before = snapshot(makeMachine());
    const machine = await machineWithSocket(seclabel);
    expect(machine.files.find(PATH)?.inode.type).toBe("socket");
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });

  test.each([
    ["with the guest's label", ""],
    ["without a label", NO_LABEL],
  ])("leaves a socket that replaced its own %s", async (_, seclabel) => {
    const machine = await machineWithSocket(seclabel);
    const inode = replace(machine);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(machine.files.find(PATH)?.inode.inode).toBe(inode);
  });

  test("removes its socket after a reboot too, if the disk has another number then", async () => {
    const clean = makeMachine();
    clean.reboot("8:17");
    const machine = await machineWithSocket();
    machine.reboot("8:17");
    expect(machine.files.find(PATH)?.inode.type).toBe("socket");
    await sweepAll(machine);
    expect(withoutInodes(machine)).toEqual(withoutInodes(clean));
  });

  test.each([
    ["before svirt creates its own, so that the start fails", "before"],
    ["after svirt created its own", "after"],
  ])("leaves a socket elsewhere to which a symlink leads that was put there %s", async (_, when) => {
    const machine = makeMachine();
    const { inode } = machine.files.put(ELSEWHERE, "socket");
    const { host, ...node } = nodeOn(machine);
    const link = (): void => {
      machine.files.remove(PATH);
      machine.files.put(PATH, "symlink", { target: ELSEWHERE });
    };
    const spawnGuest: typeof host.spawnGuest = async (order) => {
      if (when === "before") link();
      const process = await host.spawnGuest(order);
      link();
      return process;
    };
    const start = startDomain({ ...node, host: { ...host, spawnGuest } }, xmlWithSocket(NO_LABEL));
    if (when === "before") await errorOf(start);
    else await start.then(async () => await destroyDomain(nodeOn(machine), "vm1"));
    expect(machine.files.find(PATH, false)?.inode.type).toBe("symlink");
    expect(machine.files.find(ELSEWHERE)?.inode.inode).toBe(inode);
  });

  test("leaves a socket that replaced its own while QEMU started and failed", async () => {
    const machine = makeMachine();
    machine.qemu = { context: "system_u:system_r:init_t:s0" };
    const { host, ...node } = nodeOn(machine);
    let inode: string | undefined;
    const connectMonitor: typeof host.connectMonitor = async (...to) => {
      inode ??= replace(machine);
      return await host.connectMonitor(...to);
    };
    await errorOf(startDomain({ ...node, host: { ...host, connectMonitor } }, xmlWithSocket(NO_LABEL)));
    expect(inode).toBeDefined();
    expect(machine.files.find(PATH)?.inode.inode).toBe(inode ?? "none");
  });
});
