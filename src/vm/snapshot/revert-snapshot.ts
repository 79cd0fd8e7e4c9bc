import type { Disk } from "../../domain/devices/disk/disk.ts";
import { isReadOnly } from "../../domain/devices/disk/facts.ts";
import { imagePath } from "../../domain/devices/disk/images.ts";
import { passphrasesOf } from "../../domain/devices/disk/secrets.ts";
import { formatDomain } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { definitionIn, parseSnapshotText, type Snapshot } from "../../domain/other-documents/snapshot.ts";
import { SvirtError } from "../../errors.ts";
import { completeDomain } from "../../resolve/complete-domain.ts";
import { listNamedPaths } from "../../resolve/definition-names.ts";
import type { StepObserver } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { hasManagedSave } from "../../state/managed-save.ts";
import { refuseMerging } from "../../state/snapshots/snapshot-merge.ts";
import { changedSnapshot, withoutRevertDisks } from "../../state/snapshots/snapshot-tree.ts";
import type { SnapshotTree, StoredSnapshot } from "../../state/snapshots/snapshots.ts";
import { misnamed } from "../block/choose-overlays.ts";
import { describeDisks } from "../block/describe-snapshot.ts";
import { PLACE_OF_ENCRYPTION } from "../block/new-encryption.ts";
import { defaultSnapshotName } from "../block/snapshot.ts";
import { findDomain } from "../guest/find-domain.ts";
import {
  changeImagesOff,
  type OffChange,
  type Overlay,
  type PlannedImages,
  placeOverlays,
  planImagesOff,
} from "./change-images-off.ts";
import { treeOf } from "./delete-snapshot.ts";
import { snapshotIn } from "./find-snapshot.ts";
import { childrenOf } from "./select-snapshots.ts";

/** Snapshot to revert to. */
export interface Revert {
  readonly name: string;
  /** Also reverts a domain with a saved state. */
  readonly isForced: boolean;
}

/** Result of a revert. */
export interface Reverted {
  /** Images that the domain had and has no longer. They stay. */
  readonly left: readonly string[];
}

/**
 * Gives an inactive domain the definition and the disks of a snapshot. Each disk gets a new overlay on its
 * image of the snapshot, and the snapshot stays as it is. Throws "not-found", "wrong-state" if it runs or has
 * a saved state, "unsupported" for a snapshot with memory or inside an image, and the errors of define and of
 * the images. qemuSnapshotRevertInactive() of libvirt
 */
export async function revertToSnapshot(
  instance: Instance,
  key: string,
  revert: Revert & { readonly observer?: StepObserver },
): Promise<Reverted> {
  const { observer, ...asked } = revert;
  let left: readonly string[] = [];
  const request = revertRequest(instance, key, asked);
  await changeImagesOff(instance, {
    ...request,
    ...(observer === undefined ? {} : { observer }),
    decide(reading, definition, tree) {
      const change = request.decide(reading, definition, tree);
      left = listLeft(definition, change);
      return change;
    },
  });
  return { left };
}

/** Returns the steps of revertToSnapshot(), and changes nothing. Throws its errors. */
export async function planRevert(instance: Instance, key: string, revert: Revert): Promise<PlannedImages> {
  return await planImagesOff(instance, revertRequest(instance, key, revert));
}

function revertRequest(
  instance: Instance,
  key: string,
  revert: Revert,
): Parameters<typeof changeImagesOff>[1] {
  const { uuid } = findDomain(instance, key);
  // Once: the paths of all decisions agree.
  const time = Number(defaultSnapshotName(instance));
  return {
    command: "snapshot-revert",
    uuid,
    encryption: PLACE_OF_ENCRYPTION.revert,
    decide: (reading, definition, tree) => decideRevert(reading, { definition, tree, revert, time }),
  };
}

/** Lists the domain's former images, absent from all domains of its snapshots. */
export function listLeft(
  before: Domain,
  { domain, tree }: Pick<OffChange, "domain" | "tree">,
): readonly string[] {
  const kept = new Set(pathsOf(domain));
  const named = new Set(tree.snapshots.flatMap(({ xml }) => listNamedPaths(domainsIn(xml))));
  return pathsOf(before).filter((path) => !kept.has(path) && !named.has(path));
}

function decideRevert(
  instance: Instance,
  given: {
    readonly definition: Domain;
    readonly tree: SnapshotTree;
    readonly revert: Revert;
    readonly time: number;
  },
): OffChange {
  const { definition, revert, time, tree } = given;
  const snapshot = snapshotIn(tree, revert.name);
  const value = parseSnapshotText(snapshot.xml);
  const then = definitionIn(value);
  refuseKind(snapshot, value);
  refuseMerging(instance, definition.uuid, snapshot.name);
  if (then === undefined) throw refuseRisk.withoutDomain(snapshot.name, definition.name);
  if (!revert.isForced && hasManagedSave(instance, definition.name))
    throw refuseRisk.withSave(definition.name);
  const { name, uuid } = definition;
  // The checks of define: anyone who may define a domain may have written the snapshot.
  const domain = completeDomain(instance, new TextEncoder().encode(formatDomain({ ...then, name, uuid })));
  const overlays = chooseOverlays(instance, domain, { disks: value.disks, time });
  const placed = placeOverlays(instance, domain, { overlays, reuses: false });
  return { ...placed, tree: revertTree(tree, snapshot, { domain, overlays }) };
}

/**
 * Each changeable disk gets an overlay, with a suffix from the time on. It is encrypted like the image below
 * it, by the same secret: no one else can read the guest's writes then. virDomainSnapshotAlignDisks() of
 * libvirt
 */
export function chooseOverlays(
  instance: Instance,
  domain: Domain,
  { disks, time }: { readonly disks: Snapshot["disks"]; readonly time: number },
): readonly Overlay[] {
  const files = new Map(disks?.disks.map(({ name, source }) => [name, source?.file]));
  const changing = domain.devices.disks.filter(
    (disk) => disk.source !== undefined && !isReadOnly(disk) && isIncluded(disk),
  );
  const stems = changing.map((disk) => {
    const [secret] = passphrasesOf(disk);
    return { disk, secret, stem: stemOf(disk, files.get(disk.target.dev)) };
  });
  for (let suffix = time; ; suffix += 1) {
    const overlays = stems.map(({ stem, ...disk }) => ({ ...disk, path: `${stem}.${suffix}` }));
    if (overlays.every(({ path }) => instance.host.inspectFile(path) === undefined)) return overlays;
  }
}

/** Whether the domain leaves a disk to its snapshots. */
function isIncluded({ snapshot }: Disk): boolean {
  return snapshot !== "no" && snapshot !== "manual";
}

/**
 * Returns a path without its suffix: of the disk's own image, or of the snapshot's overlay for a disk on a
 * device.
 */
function stemOf(disk: Disk, overlay: string | undefined): string {
  const path = disk.type === "file" ? imagePath(disk) : overlay;
  if (path !== undefined) return path.replace(/\.[^./]*$/, "");
  const target = disk.target.dev;
  throw misnamed(
    `cannot generate external snapshot name for disk '${target}' on a '${disk.type}' device`,
    `Define the domain with an overlay for ${target} yourself: svirt define`,
  );
}

/** qemuSnapshotRevertExternalFinish() of libvirt; it also removes the domain's former images. */
export function revertTree(
  tree: SnapshotTree,
  { name }: StoredSnapshot,
  { domain, overlays }: { readonly domain: Domain; readonly overlays: readonly Overlay[] },
): SnapshotTree {
  const paths = new Map(overlays.map(({ disk, path, secret }) => [disk.target.dev, { path, secret }]));
  const disks = { disks: describeDisks(domain.devices.disks, paths) };
  const isLeaf = childrenOf(tree, name).length === 0;
  const before = withoutRevertDisks(tree, tree.current);
  const snapshots = before.map((one) =>
    one.name === name
      ? changedSnapshot(one, (value) => ({ ...value, ...(isLeaf ? { disks } : { revertDisks: disks }) }))
      : one,
  );
  return treeOf(name, snapshots);
}

function pathsOf({ devices }: Domain): string[] {
  return devices.disks.filter((disk) => !isReadOnly(disk)).flatMap((disk) => imagePath(disk) ?? []);
}

/** Returns the part of a stored snapshot with its domains, behind its own disks. */
function domainsIn(xml: string): string {
  const at = xml.indexOf("\n  <domain");
  return at === -1 ? "" : xml.slice(at);
}

function refuseKind({ isExternal, name, state }: StoredSnapshot, { memory }: Snapshot): void {
  const hasMemory = memory?.snapshot === "external" || memory?.snapshot === "internal";
  const inImage = isExternal ? undefined : "inside an image";
  const why = hasMemory ? "with memory" : inImage;
  if (why === undefined && (state === "shutoff" || state === "disk-snapshot")) return;
  throw new SvirtError(
    `Operation not supported: svirt does not revert to a snapshot ${why ?? `in the state ${state}`}: ${name}`,
    {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      remedy: "Revert to a snapshot of disks in overlays: svirt snapshot-list DOMAIN --external",
    },
  );
}

/** Refusals of qemuSnapshotRevertValidate() of libvirt. */
export const refuseRisk = {
  withoutDomain: (snapshot: string, name: string): SvirtError =>
    risky(`snapshot '${snapshot}' lacks domain '${name}' rollback info`, "Choose another."),
  withSave(name: string): SvirtError {
    const why =
      "snapshot without memory state, removal of existing managed saved state strongly recommended to avoid corruption";
    return risky(why, `Remove it first: svirt managedsave-remove ${name}`);
  },
};

/** The client may ask again with force. */
function risky(why: string, remedy: string): SvirtError {
  return new SvirtError(`revert requires force: ${why}`, {
    kind: "wrong-state",
    libvirt: "SNAPSHOT_REVERT_RISKY",
    remedy,
  });
}
