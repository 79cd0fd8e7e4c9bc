import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { PoolStep } from "../../../plan/steps/pool.ts";
import { readLogicalVolumes, readPhysicalVolumes } from "../../../resolve/pools/lvm-reports.ts";
import type { Instance } from "../../../state/instance.ts";
import { listUnfinished } from "../../../state/unfinished.ts";
import { formatPool } from "../../../storage/pool/document.ts";
import { lvm } from "../../../storage/pool/logical/commands.ts";
import { volumeGroupOf } from "../../../storage/pool/logical/group.ts";
import type { PhysicalVolume } from "../../../storage/pool/logical/reports.ts";
import type { Formatting } from "../../../storage/pool/rules/startable.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import { haveSameSource } from "../../object-change/noted-work.ts";
import { refuseContent } from "../device/refuse-content.ts";
import { refuseBuildOver } from "../device/refuse-defined.ts";
import { sourceDevices } from "../device/source-device.ts";
import { listLeftParts, removalOfPart } from "./remove-partial-volumes.ts";
import { checkParts, refuseGuestsParts } from "./volume-group.ts";

/**
 * Returns the steps that make the volume group of a pool on its devices. A device prepared by an interrupted
 * call is used as it is, and so is its group. Throws "wrong-state" for a device with content unless it may
 * be overwritten, and for any other existing group; "in-use" for a device of a guest or a definition;
 * "unsupported".
 * virStorageBackendLogicalBuildPool() of libvirt
 */
export async function planGroup(
  instance: Instance,
  pool: Pool,
  how: Formatting,
): Promise<readonly PoolStep[]> {
  const { host } = instance;
  const group = volumeGroupOf(pool);
  const known = await readPhysicalVolumes(host);
  if (known.some((one) => one.group === group)) {
    if (isMadeByKilled(instance, pool, known)) return [];
    throw existing(pool, group);
  }
  const devices = sourceDevices(instance, pool);
  refuseBuildOver(instance, pool.name, { devices, isWritten: true });
  const blank = devices.filter((device) => isBlank(instance, pool, { device, known }));
  if (how === "no-overwrite") for (const device of blank) refuseContent(host, pool.name, device);
  const paths = devices.map(({ path }) => path);
  return [
    ...blank.map(
      ({ path }): PoolStep => ({
        do: "run-tool",
        words: lvm.createPhysical(path),
        attempt: `prepare ${path}`,
        // A prepared device would have content for the next call.
        back: { words: lvm.removePhysical(path), attempt: `clear ${path}`, mayFail: true },
      }),
    ),
    { do: "run-tool", words: lvm.createGroup(group, paths), attempt: `make the volume group ${group}` },
  ];
}

/** Reports whether a killed build or removal has left the whole group of a pool. */
function isMadeByKilled(instance: Instance, pool: Pool, known: readonly PhysicalVolume[]): boolean {
  const xml = formatPool(pool);
  const isLeft = listUnfinished(instance).some(
    ({ work }) => work.kind === "storage" && work.name === pool.name && haveSameSource(work.xml, xml),
  );
  if (!isLeft) return false;
  const parts = known.filter((one) => one.group === volumeGroupOf(pool));
  const nodes = new Set(parts.map(({ path }) => instance.host.inspectFile(path)?.id.node));
  return sourceDevices(instance, pool).every(({ node }) => nodes.has(node));
}

/** Whether a device is not prepared yet. Throws "in-use" for a device of another group. */
function isBlank(
  { host }: Instance,
  pool: Pool,
  { device, known }: { readonly device: FileId; readonly known: readonly PhysicalVolume[] },
): boolean {
  const found = known.find(({ path }) => host.inspectFile(path)?.id.node === device.node);
  if (found !== undefined && found.group !== "") throw partOfOther(pool, device, found.group);
  return found === undefined;
}

/**
 * Returns the steps that remove the volume group of a pool, and its mark from the pool's devices. Throws
 * "wrong-state" for a group with volumes, which libvirt removes with it; "in-use" for a guest's disk;
 * "unsupported" for a group on other devices. The caller holds no lock.
 * virStorageBackendLogicalDeletePool() of libvirt
 */
export async function planGroupRemoval(instance: Instance, pool: Pool): Promise<readonly PoolStep[]> {
  const { host } = instance;
  const group = volumeGroupOf(pool);
  const attempt = `remove the volume group ${group}`;
  const known = await readPhysicalVolumes(host);
  const parts = known.filter((one) => one.group === group);
  const steps: PoolStep[] = [];
  // An interrupted call may have removed the group alone.
  if (parts.length > 0) {
    await checkParts(instance, pool, { parts, attempt });
    const volumes = await readLogicalVolumes(host, group);
    const left = await listLeftParts(instance, group, volumes);
    const [volume] = volumes.filter(({ name }) => !left.includes(name));
    if (volume !== undefined) throw notEmpty(pool, group, volume.name);
    steps.push(...left.map((name) => removalOfPart(group, name)));
    steps.push({ do: "run-tool", words: lvm.removeGroup(group), attempt });
  }
  const nodeOf = (path: string): string => host.inspectFile(path)?.id.node ?? path;
  const listed = new Set(pool.source.devices.map(({ path }) => nodeOf(path)));
  const orphans = known.filter(
    (one) => (one.group === "" || one.group === group) && listed.has(nodeOf(one.path)),
  );
  await refuseGuestsParts(instance, orphans, attempt);
  return [
    ...steps,
    ...orphans.map(
      ({ path }): PoolStep => ({
        do: "run-tool",
        words: lvm.removePhysical(path),
        attempt: `clear ${path}`,
      }),
    ),
  ];
}

function existing({ name }: Pool, group: string): SvirtError {
  return new SvirtError(`Cannot build the storage pool '${name}': the volume group ${group} exists already`, {
    kind: "wrong-state",
    from: "STORAGE",
    remedy: `Use it as it is: svirt pool-start ${name}`,
  });
}

function partOfOther({ name }: Pool, { path }: FileId, group: string): SvirtError {
  return new SvirtError(
    `Cannot build the storage pool '${name}': ${path} is part of the volume group ${group}`,
    { kind: "in-use", remedy: "Name another device in <source>." },
  );
}

function notEmpty({ name }: Pool, group: string, volume: string): SvirtError {
  return new SvirtError(
    `failed to remove pool '${name}': the volume group ${group} has the volume ${volume}`,
    {
      kind: "wrong-state",
      from: "STORAGE",
      remedy: "Delete its volumes first; lvs(8) lists also those that are no volumes of svirt.",
    },
  );
}
