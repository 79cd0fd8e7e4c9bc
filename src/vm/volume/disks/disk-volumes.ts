import { parseDomainText } from "../../../domain/document.ts";
import { asSvirtError, SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { Definition } from "../../../state/definitions.ts";
import type { Instance } from "../../../state/instance.ts";
import { refuseRunning } from "../../define/refuse-replaced.ts";
import { findDomain } from "../../guest/find-domain.ts";
import { disksOf, type ListedDisk } from "../../query/disk-list.ts";
import { findVolume } from "../find-volume.ts";

/** Volume that is a disk of a domain. */
export interface DiskVolume {
  readonly target: string;
  /** Source in the domain's XML. */
  readonly source: string;
  readonly pool: { readonly name: string; readonly uuid: string };
  /** Name in the pool. */
  readonly name: string;
  /** Its file or device at the time of the search. */
  readonly seen: FileId;
}

/** Volumes of a domain's disks, and the errors of disks that are none. */
export interface DiskVolumes {
  /** Definition with these disks. */
  readonly definition: Definition | undefined;
  readonly volumes: readonly DiskVolume[];
  readonly errors: readonly SvirtError[];
}

type FilledDisk = ListedDisk & { readonly source: string };

/** Types of disks whose source is a path or a volume. */
const MAY_BE_VOLUMES: ReadonlySet<string> = new Set([
  "file",
  "block",
  "volume",
] satisfies ListedDisk["type"][]);

/**
 * Finds the volumes that a domain's disks are: all, or those whose targets or sources are named; each once.
 * Throws "wrong-state" for a running domain, "not-found" for a name that no disk with a source has, "usage"
 * for one that several have, and as findVolume() if it is unknown whether a disk is a volume. cmdUndefine()
 * of libvirt's tools/virsh-domain.c
 */
export async function findDiskVolumes(
  instance: Instance,
  key: string,
  wanted: readonly string[] | "all",
): Promise<DiskVolumes> {
  const domain = findDomain(instance, key);
  refuseRunning(domain);
  const { definition } = domain;
  const disks = disksOf(parseDomainText(definition?.xml ?? "")).filter(isFilled);
  const named = wanted === "all" ? disks : wanted.map((name) => diskOf(disks, name));
  const volumes = new Map<string, DiskVolume>();
  const errors: SvirtError[] = [];
  for (const disk of disks.filter((one) => named.includes(one))) {
    try {
      const volume = await volumeOf(instance, disk);
      const id = `${volume.pool.uuid}/${volume.name}`;
      if (!volumes.has(id)) volumes.set(id, volume);
    } catch (error) {
      if (asSvirtError(error).kind !== "not-found") throw error;
      errors.push(notManaged(disk, error));
    }
  }
  return { definition, volumes: [...volumes.values()], errors };
}

function isFilled(disk: ListedDisk): disk is FilledDisk {
  return disk.source !== undefined;
}

function diskOf(disks: readonly FilledDisk[], name: string): FilledDisk {
  const [first, second] = disks.filter(({ source, target }) => name === target || name === source);
  if (first === undefined)
    throw new SvirtError(`Volume '${name}' was not found in domain's definition.`, {
      kind: "not-found",
      remedy: "svirt domblklist DOMAIN lists its disks.",
    });
  if (second === undefined) return first;
  throw new SvirtError(
    `Cannot choose the volume '${name}': the disks ${first.target} and ${second.target} have that name`,
    { kind: "usage", remedy: "Name the disk by its other name, target or source: svirt domblklist DOMAIN" },
  );
}

async function volumeOf(instance: Instance, { pool, source, target, type }: FilledDisk): Promise<DiskVolume> {
  if (!MAY_BE_VOLUMES.has(type))
    throw new SvirtError(`the source of a disk of type ${type} is no volume`, {
      kind: "not-found",
      remedy: "",
    });
  const found = await findVolume(instance, source, pool);
  const { name, uuid } = found.pool;
  return { target, source, pool: { name, uuid }, name: found.name, seen: found.facts.id };
}

function notManaged({ source, target }: FilledDisk, cause: unknown): SvirtError {
  const { message } = asSvirtError(cause);
  return new SvirtError(
    `Storage volume '${target}'(${source}) is not managed by libvirt. Remove it manually: ${message}`,
    { kind: "partly", remedy: "Remove an unused file by hand.", cause },
  );
}
