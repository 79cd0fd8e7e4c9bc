import { readRecord } from "../../src/state/record.ts";
import { restoreDomain } from "../../src/vm/save/restore-domain.ts";
import { saveDomain } from "../../src/vm/save/save-domain.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine, nodeOn, reapAll, UUID } from "./scene.ts";
import { withoutInodes } from "./strikes.ts";

/** Where guests are saved to, and where a managed save lies (docs/state.md). */
export const FILE = "/var/lib/images/vm1.save";
export const MANAGED = "/var/lib/svirt/save/vm1.save";
/** Two categories: what a file that is nobody's must not carry. */
export const PRIVATE = /:c\d+,c\d+$/;
/** What the guest has in its memory. */
export const REMEMBERED = "a number that it counts";

/** A machine on which the usual guest runs, with a disk, and something in its memory. */
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

/** Saves it, and all that has to do with it is gone. */
export async function save(machine: Machine): Promise<void> {
  await saveDomain(nodeOn(machine), "vm1", { wakes: undefined, path: FILE });
  await reapAll(machine);
}

/** Lets it go on. */
export async function restored(machine: Machine): Promise<void> {
  await restoreDomain(nodeOn(machine), FILE, { wakes: undefined, xml: undefined });
}

/** What is in a file. */
export function fileText(machine: Machine, path: string): string {
  return new TextDecoder().decode(machine.files.get(path).bytes);
}

/** How the guest stands: its QEMU, what that has, its memory, its label and what its record says of changes. */
export function guestState(machine: Machine): unknown[] {
  const qemu = machine.processes.qemuOf(UUID);
  const guest = readRecord(nodeOn(machine), UUID);
  const { change, label, steps = [], uid } = guest ?? {};
  const made = steps
    .map(({ do: name }) => name)
    .filter((name) => name !== "resume" && name !== "load-memory");
  return [
    qemu?.status,
    qemu?.stream?.memory,
    qemu?.context,
    ...(qemu?.devices?.list().toSorted() ?? []),
    JSON.stringify({ change, label, uid, made }),
  ];
}

/** All of the machine, and how the guest stands: two of these are equal when nothing has changed. */
export function stateOf(machine: Machine): unknown[] {
  return [...withoutInodes(machine), ...guestState(machine)];
}
