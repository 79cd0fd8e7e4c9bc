import { readRecord } from "../../src/state/record.ts";
import { restoreDomain } from "../../src/vm/save/restore-domain.ts";
import { saveDomain } from "../../src/vm/save/save-domain.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine, nodeOn, reapAll, UUID } from "./scene.ts";
import { type Work, withoutInodes } from "./strikes.ts";

/** Paths of a saved guest, and of a managed save (docs/state.md). */
export const FILE = "/var/lib/images/vm1.save";
export const MANAGED = "/var/lib/svirt/save/vm1.save";
/** Two categories, which a file that belongs to no guest must not have. */
export const PRIVATE = /:c\d+,c\d+$/;
/** Content of the guest's memory. */
export const REMEMBERED = "a number that it counts";

/** Returns a machine on which the default guest runs, with a disk and REMEMBERED in its memory. */
export async function machineWithGuest(devices = ""): Promise<Machine> {
  const machine = makeMachine();
  await startDomain(
    nodeOn(machine),
    domainXml({ disks: diskXml("/var/lib/images/private1.raw", "vda"), devices }),
  );
  const stream = machine.processes.qemuOf(UUID)?.stream;
  if (stream !== undefined) stream.memory = REMEMBERED;
  return machine;
}

/** Returns the calls that change the host in this work on the default guest, in their order. */
export async function changesOf(work: Work): Promise<readonly string[]> {
  const node = nodeOn(await machineWithGuest());
  await work(node);
  return node.svirt.changes;
}

/**
 * Returns a state as libvirt saves it, whose XML has all secrets. virQEMUSaveDataWrite() of libvirt's
 * qemu_saveimage.c
 */
export function savedByLibvirt(): Uint8Array {
  const xml = new TextDecoder()
    .decode(domainXml({}))
    .replace("</devices>", "<graphics type='vnc' passwd='swordfish'/></devices>");
  const data = new TextEncoder().encode(`${xml}\0`);
  const head = Buffer.alloc(92);
  head.write("LibvirtQemudSave");
  for (const [at, number] of [2, data.length, 1, 0, 0].entries()) head.writeUInt32LE(number, 16 + 4 * at);
  return Buffer.concat([head, data]);
}

/** Saves the guest and completes its end. */
export async function save(machine: Machine): Promise<void> {
  await saveDomain(nodeOn(machine), "vm1", { resumes: undefined, path: FILE });
  await reapAll(machine);
}

/** Restores the guest. */
export async function restored(machine: Machine): Promise<void> {
  await restoreDomain(nodeOn(machine), FILE, { resumes: undefined, xml: undefined });
}

/** Returns the content of a file. */
export function fileText(machine: Machine, path: string): string {
  return new TextDecoder().decode(machine.files.get(path).bytes);
}

/** Returns the state of the guest: its QEMU with devices and memory, its label, and changes in its record. */
export function guestState(machine: Machine): unknown[] {
  const qemu = machine.processes.qemuOf(UUID);
  const guest = readRecord(nodeOn(machine), UUID);
  const { change, label, steps = [], uid } = guest ?? {};
  const made = steps
    .map(({ do: name }) => name)
    // A file keeps the mark of its format, so only its first start sets it.
    .filter((name) => !["resume", "load-memory", "mark-format"].includes(name));
  return [
    qemu?.status,
    qemu?.stream?.memory,
    qemu?.context,
    ...(qemu?.devices?.list().toSorted() ?? []),
    JSON.stringify({ change, label, uid, made }),
  ];
}

/** Returns the state of the machine and of the guest. Equal states mean that nothing has changed. */
export function stateOf(machine: Machine): unknown[] {
  return [...withoutInodes(machine), ...guestState(machine)];
}
