import { definitionIn, parseSnapshotText } from "../../src/domain/other-documents/snapshot.ts";
import { readDefinition } from "../../src/state/definitions.ts";
import type { Instance } from "../../src/state/instance.ts";
import { readSnapshots } from "../../src/state/snapshots/snapshots.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { createSnapshot, newSnapshot } from "../../src/vm/snapshot/create-snapshot.ts";
import { deleteSnapshot } from "../../src/vm/snapshot/delete-snapshot.ts";
import type { Machine } from "../memory-host/machine.ts";
import { IMAGES, machineWithChain } from "./block.ts";
import { type DomainOptions, diskXml, domainXml, makeMachine, nodeOn, UUID } from "./scene.ts";

/** Disk of the default guest. */
export const TOP = `${IMAGES}/top.qcow2`;

/** Takes a snapshot of the disks of the default guest. */
export async function takeDisks(instance: Instance, name: string): Promise<void> {
  const flags = { isDiskOnly: true, isKept: true, reuses: false };
  const snapshot = newSnapshot(instance, { name, description: undefined, disks: [], flags });
  await createSnapshot(instance, UUID, { snapshot });
}

/** Deletes a snapshot of the default guest with its images. */
export const remove =
  (name: string, which: "one" | "tree" | "children" = "one") =>
  (node: Instance): Promise<readonly string[]> =>
    deleteSnapshot(node, UUID, { name, which, isMetadataOnly: false });

/** Returns a machine with the default guest, which is off, and its snapshots s1 and s2. */
export async function machineThatIsOff(options: Pick<DomainOptions, "lifecycle"> = {}): Promise<Machine> {
  return await snapshotsOf(makeMachine(), options);
}

/** Defines that guest on a machine, and takes its snapshots. */
export async function snapshotsOf(
  machine: Machine,
  options: Pick<DomainOptions, "lifecycle">,
): Promise<Machine> {
  await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(TOP, "vda"), ...options }));
  for (const name of ["s1", "s2"]) await takeDisks(nodeOn(machine), name);
  return machine;
}

/** Returns a machine on which it runs. */
export async function machineThatRuns(): Promise<Machine> {
  const machine = await machineWithChain();
  for (const name of ["s1", "s2"]) await takeDisks(nodeOn(machine), name);
  return machine;
}

/**
 * Returns the image that the definition has, the snapshots with the images of their domains, and the overlays
 * there are.
 */
export function seen(node: Instance) {
  const [, image] = /<source file='([^']*)'/.exec(readDefinition(node, "vm1")?.xml ?? "") ?? [];
  const { current, snapshots } = readSnapshots(node, UUID);
  const stored = snapshots.map(({ name, parent, xml }) => {
    const [disk] = definitionIn(parseSnapshotText(xml))?.devices.disks ?? [];
    return { name, parent, source: disk?.source };
  });
  const images = node.host
    .listFolder(IMAGES)
    .filter((name) => name.startsWith("top."))
    .sort();
  return { image, current, stored, images };
}
