import type { Disk } from "../../domain/devices/disk/disk.ts";
import { imagePath } from "../../domain/devices/disk/images.ts";
import { parseDomainText } from "../../domain/document.ts";
import { parseSnapshotText } from "../../domain/other-documents/snapshot.ts";
import { SvirtError } from "../../errors.ts";
import { folderOf } from "../../plan/folder-of.ts";
import { definitionOf } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { readSnapshots } from "../../state/snapshots/snapshots.ts";
import type { RunningImage } from "../block/running-disk.ts";
import { isNameOf } from "../volume/image-names.ts";
import { refuseNeeded } from "../volume/refuse-needed.ts";
import type { SearchPass } from "../volume/unlocked-search.ts";

// Rule: A base that others need is not merged.

/** Images changed by a merge: a base, and the disk's images above it. */
export interface MergedImages {
  readonly uuid: string;
  /** Name of the snapshot. */
  readonly snapshot: string;
  readonly base: RunningImage;
  readonly above: readonly RunningImage[];
}

/**
 * Throws "in-use" if anything except the disk's own images needs the base, directly or through an image above
 * it: another domain, disk, managed save or snapshot, or an image of a pool or beside the disk's. It would
 * see other data after the merge. Throws as refuseNeeded().
 */
export function refuseSharedBase(
  instance: Instance,
  { above, base, snapshot, uuid }: MergedImages,
  pass: SearchPass,
): void {
  const file = base.found.facts.id;
  const attempt = `merge into ${file.path}`;
  const own = new Set(above.flatMap(pathsOf));
  refuseOwnUse(instance, { uuid, snapshot, own, base, attempt });
  const chain = { uuid, snapshot, above: new Set([...own, ...pathsOf(base)]) };
  const folders = new Set([base, ...above].map(({ found }) => folderOf(found.facts.id.path)));
  for (const folder of folders)
    refuseNeeded(instance, { attempt, file, chain, pass }, instance.host.inspectFile(folder));
}

function pathsOf({ found }: RunningImage): readonly string[] {
  return [found.path, found.facts.id.path];
}

/** Throws "in-use" if another disk of the domain, or of one of its other snapshots, has the base. */
function refuseOwnUse(
  instance: Instance,
  {
    attempt,
    base,
    own,
    snapshot,
    uuid,
  }: Pick<MergedImages, "base" | "snapshot" | "uuid"> & {
    readonly own: ReadonlySet<string>;
    readonly attempt: string;
  },
): void {
  const hasBase = (disk: Disk): boolean => {
    const top = imagePath(disk);
    if (top === undefined || own.has(top)) return false;
    return listPaths(disk).some((path) => isNameOf(instance, path, base.found.facts.id));
  };
  const definition = definitionOf(instance, uuid);
  if (definition !== undefined && parseDomainText(definition.xml).devices.disks.some(hasBase))
    throw needed(attempt, `the definition of '${definition.name}' has it`);
  for (const { name, xml } of readSnapshots(instance, uuid).snapshots) {
    if (name === snapshot) continue;
    const { domain, inactiveDomain } = parseSnapshotText(xml);
    const disks = [domain, inactiveDomain].flatMap((one) =>
      one !== undefined && "devices" in one ? one.devices.disks : [],
    );
    if (disks.some(hasBase)) throw needed(attempt, `the snapshot '${name}' has it`);
  }
}

/** Lists the paths of a disk's images that its XML names. */
function listPaths(disk: Disk): readonly string[] {
  const paths = [imagePath(disk)];
  for (let next = disk.backingStore; next !== undefined && next.type !== "end"; next = next.backingStore) {
    if (next.type === "file") paths.push(next.source.file);
    if (next.type === "block") paths.push(next.source.dev);
  }
  return paths.filter((path) => path !== undefined);
}

function needed(attempt: string, why: string): SvirtError {
  return new SvirtError(`Cannot ${attempt}: ${why}`, {
    kind: "in-use",
    remedy: "Remove the data of the snapshot alone: svirt snapshot-delete DOMAIN SNAPSHOT --metadata",
  });
}
