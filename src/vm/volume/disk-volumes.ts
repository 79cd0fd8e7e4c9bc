import { asSvirtError, SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { findDomain } from "../guest/find-domain.ts";
import { type ListedDisk, listDisks } from "../query/disk-list.ts";
import { findVolume } from "./find-volume.ts";

/** Volume that is a disk of a domain. */
export interface DiskVolume {
  readonly target: string;
  /** Source in the domain's XML. */
  readonly source: string;
  readonly pool: string;
  /** Name in the pool. */
  readonly name: string;
}

/** Volumes of a domain's disks, and the errors of disks that are none. */
interface DiskVolumes {
  readonly volumes: readonly DiskVolume[];
  readonly errors: readonly SvirtError[];
}

/**
 * Finds the volumes that a domain's disks are: all, or those whose targets or sources are named. Throws "wrong-state" for a running domain,
 * "not-found" for a name that no disk has. cmdUndefine() of libvirt's tools/virsh-domain.c
 */
export async function findDiskVolumes(
  instance: Instance,
  key: string,
  wanted: readonly string[] | "all",
): Promise<DiskVolumes> {
  if (findDomain(instance, key).guest !== undefined)
    throw new SvirtError("Storage volume deletion is supported only on stopped domains", {
      kind: "wrong-state",
      remedy: "Stop it first: svirt destroy DOMAIN",
    });
  const disks = listDisks(instance, key, "defined");
  const isNamed = ({ source, target }: ListedDisk, name: string): boolean =>
    name === target || name === source;
  const missing =
    wanted === "all" ? undefined : wanted.find((name) => !disks.some((disk) => isNamed(disk, name)));
  if (missing !== undefined)
    throw new SvirtError(`Volume '${missing}' was not found in domain's definition.`, {
      kind: "not-found",
      remedy: "svirt domblklist DOMAIN lists its disks.",
    });
  const [volumes, errors]: [DiskVolume[], SvirtError[]] = [[], []];
  for (const disk of disks) {
    if (disk.source === undefined || (wanted !== "all" && !wanted.some((name) => isNamed(disk, name))))
      continue;
    try {
      volumes.push(await volumeOf(instance, disk, disk.source));
    } catch (error) {
      errors.push(notManaged(disk, error));
    }
  }
  return { volumes, errors };
}

async function volumeOf(
  instance: Instance,
  { pool, target }: ListedDisk,
  source: string,
): Promise<DiskVolume> {
  const found = await findVolume(instance, source, pool);
  return { target, source, pool: found.pool.name, name: found.name };
}

function notManaged({ source, target }: ListedDisk, cause: unknown): SvirtError {
  const { message } = asSvirtError(cause);
  return new SvirtError(
    `Storage volume '${target}'(${source}) is not managed by libvirt. Remove it manually: ${message}`,
    { kind: "partly", remedy: "Remove an unused file by hand.", cause },
  );
}
