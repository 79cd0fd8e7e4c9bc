import { SvirtError, unlessRefused } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { listNamedPaths, listNamedVolumes, memoryElement } from "../../resolve/definition-names.ts";
import { fileFormats } from "../../resolve/formats/file-formats.ts";
import { listRelated } from "../../resolve/related-devices.ts";
import { type Definition, listDefinitionNames, readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { listManagedSaves, managedSavePath } from "../../state/managed-save.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { ownerName } from "../../state/record.ts";
import { listSnapshotOwners, readSnapshots } from "../../state/snapshots/snapshots.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import { definitionByUuid } from "../guest/find-domain.ts";
import { refuseDamaged } from "../stored/refuse-damaged.ts";
import { pathIn } from "./find-volume.ts";
import { isNameOf, leadsTo } from "./image-names.ts";
import type { SearchPass } from "./unlocked-search.ts";
import { type DevicePool, listDevicePools, listVolumePools, type VolumePool } from "./volume-pool.ts";
import { findAbove } from "./volumes-above.ts";

// Rule: A volume that is needed is not deleted, overwritten or shrunk.

type Pools = readonly (VolumePool | DevicePool)[];

/** File, and the attempt for messages. */
interface Attempt {
  readonly file: FileId;
  readonly attempt: string;
  readonly pass: SearchPass;
  /** Whether the file may be a disk of one domain that is off, and for nothing else. */
  readonly mayBeDisk?: boolean;
  /** Images of a domain's disk that may be above the file, and its snapshot that may name it. */
  readonly chain?: OwnChain;
}

/** Images of a disk above a file into which they are merged. */
interface OwnChain {
  /** UUID of the domain. */
  readonly uuid: string;
  /** Snapshot whose images are merged. */
  readonly snapshot: string;
  /** Paths of the file and of the images above it: the caller checks which disks of the domain name them. */
  readonly above: ReadonlySet<string>;
}

/**
 * Throws "in-use" for a file, or a block device with a part, that a definition or a managed save names, that
 * is below a disk of one, or that another volume has as its backing or data file. The caller holds the
 * registry's lock, so that no such volume is created in the meantime, or looks ahead. Throws as findAbove();
 * "failed" for a damaged file of a definition, a snapshot or an active pool.
 */
export function refuseNeeded(
  instance: Instance,
  { attempt, chain, file, mayBeDisk = false, pass }: Attempt,
  folder: FileFacts | undefined,
): void {
  // A damaged file does not tell where the volumes of an active pool are, of which one may need the file.
  refuseDamaged(poolStore, instance, { which: "active", parse: parsePoolText });
  const pools = [...listVolumePools(instance), ...listDevicePools(instance)];
  const files = addParts(instance, file);
  const naming = listDefinitionNames(instance)
    .flatMap((name) => readDefinition(instance, name) ?? [])
    .filter(({ uuid, xml }) =>
      files.some((one) => isNeededBy(instance, { xml, pools, except: aboveFor(chain, uuid) }, one)),
    );
  const [first, second] = naming;
  if (
    first !== undefined &&
    (second !== undefined || !mayBeDisk || !isOnlyDisk(instance, first, { file, pools }))
  )
    throw needed(
      attempt,
      `the domain '${first.name}' has it`,
      `Remove it from that domain: svirt edit ${first.name}`,
    );
  for (const name of listManagedSaves(instance)) {
    const xml = savedXml(instance, name);
    if (files.some((one) => isNeededBy(instance, { xml, pools }, one)))
      throw needed(
        attempt,
        `the saved state of the domain '${name}' has it`,
        `Start that domain, or remove its state: svirt managedsave-remove ${name}`,
      );
  }
  for (const { owner, snapshot, uuid, xml } of listSnapshots(instance, chain)) {
    // The images of its <disks> are those of the domain or of later snapshots, which name them.
    const domains = `${memoryElement(xml)}${xml.slice(Math.max(0, xml.indexOf("\n  <domain")))}`;
    const except = aboveFor(chain, uuid);
    if (files.some((one) => isNeededBy(instance, { xml: domains, pools, parsed: xml, except }, one)))
      throw needed(
        attempt,
        `the snapshot '${snapshot}' of the domain '${owner}' has it`,
        `Forget that snapshot first: svirt snapshot-delete ${owner} ${snapshot} --metadata`,
      );
  }
  const folders = [folder, ...pools.map((pool) => pool.folder)].filter((one) => one !== undefined);
  const above = files
    .map((one) => findAbove(instance, one, { folders, pass, except: chain?.above ?? NONE }))
    .find((path) => path !== undefined);
  if (above === undefined) return;
  throw needed(
    attempt,
    `the volume ${above} needs it`,
    `Delete that volume first: svirt vol-delete ${above}`,
  );
}

const NONE: ReadonlySet<string> = new Set();

/** Returns the images of a chain for its own domain; none for another. */
function aboveFor(chain: OwnChain | undefined, uuid: string): ReadonlySet<string> {
  return chain?.uuid === uuid ? chain.above : NONE;
}

/** Returns a file alone; a block device with its partitions, or with the disk that it is a partition of. */
function addParts({ host }: Instance, file: FileId): readonly FileId[] {
  if (file.node === undefined) return [file];
  return [
    file,
    ...listRelated(host, file).map(({ name, number }) => ({ ...file, path: name, node: number })),
  ];
}

interface NamedSnapshot {
  readonly owner: string;
  readonly snapshot: string;
  readonly uuid: string;
  readonly xml: string;
}

/** Lists the stored snapshots of all domains, with the names of these; without the one of the chain. */
function listSnapshots(instance: Instance, chain: OwnChain | undefined): readonly NamedSnapshot[] {
  return listSnapshotOwners(instance).flatMap((uuid) => {
    const owner = definitionByUuid(instance, uuid)?.name ?? ownerName(instance, { owner: uuid });
    const gone = chain?.uuid === uuid ? chain.snapshot : undefined;
    return readSnapshots(instance, uuid)
      .snapshots.filter(({ name }) => name !== gone)
      .map(({ name, xml }) => ({ owner, snapshot: name, uuid, xml }));
  });
}

/**
 * Reports whether a stored definition names a file, or a disk of it leads to the file. `parsed`: the document
 * with these disks.
 */
export function isNeededBy(
  instance: Instance,
  {
    except,
    parsed,
    pools,
    xml,
  }: {
    readonly xml: string;
    readonly pools: Pools;
    readonly parsed?: string;
    /** Paths that are no use of the file. */
    readonly except?: ReadonlySet<string>;
  },
  file: FileId,
): boolean {
  const volumes = volumesIn(xml, pools);
  const paths = listNamedPaths(xml).filter((path) => except?.has(path) !== true);
  if ([...paths, ...volumes].some((path) => isNameOf(instance, path, file))) return true;
  const search = { file, formats: fileFormats(instance), vain: new Set<string>() };
  const tops = new Set(
    [...paths, ...volumes].filter((path) => leadsTo(instance, { image: { path, as: "claimed" }, ...search })),
  );
  if (tops.size === 0) return false;
  // The definition tells the format. Reading it takes long.
  const { hasDiskAbove }: typeof import("./disks/disks-above.ts") = require("./disks/disks-above.ts");
  const pathsOf = (pool: string, volume: string): readonly string[] => pathsOfVolume(pools, pool, volume);
  return hasDiskAbove(parsed ?? xml, { tops, pathsOf });
}

function isOnlyDisk(
  instance: Instance,
  definition: Definition,
  { file, pools }: { readonly file: FileId; readonly pools: Pools },
): boolean {
  const { isOnlyDiskOf }: typeof import("./disks/only-disk.ts") = require("./disks/only-disk.ts");
  const pathsOf = (pool: string, volume: string): readonly string[] => pathsOfVolume(pools, pool, volume);
  return isOnlyDiskOf(instance, definition, { file, pathsOf });
}

/** Returns the XML in a managed save; empty if it cannot be read. */
function savedXml(instance: Instance, name: string): string {
  const { readSaveImage }: typeof import("../save/save-image.ts") = require("../save/save-image.ts");
  return unlessRefused(() => readSaveImage(instance, managedSavePath(instance, name)).xml) ?? "";
}

/** Lists the paths of the volumes that a definition names by their pools. */
function volumesIn(xml: string, pools: Pools): readonly string[] {
  return listNamedVolumes(xml).flatMap(({ pool, volume }) => pathsOfVolume(pools, pool, volume));
}

function pathsOfVolume(pools: Pools, pool: string, volume: string): readonly string[] {
  const found = pools.find(({ name }) => name === pool);
  if (found === undefined) return [];
  if (found.folder !== undefined) return [pathIn(found.folder, volume)];
  return found.devices.filter(({ name }) => name === volume).map(({ path }) => path);
}

function needed(attempt: string, why: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot ${attempt}: ${why}`, { kind: "in-use", from: "STORAGE", remedy });
}
