import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import { findPoolMount } from "../../../resolve/pool-mount.ts";
import type { Instance } from "../../../state/instance.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import { findGuestMounting, findGuestOn } from "../../guest/guests-on-mount.ts";
import { changeStored } from "../../stored/change-stored.ts";
import { invalid } from "../find-pool.ts";

/** Parts of the end of a pool that its start has mounted. */
export const END_MOUNTED = {
  before: [unmountPool],
  withSource: "shared",
  check: refuseMounted,
  after: [],
} as const;

/**
 * A server may take long, so the registry's lock is not held meanwhile. Throws "in-use" while a guest uses a
 * volume.
 */
async function unmountPool(instance: Instance, pool: Pool): Promise<void> {
  if (!isMounted(instance, pool)) return;
  await changeStored(instance, () => refuseGuest(instance, pool));
  await unmountUnused(instance, pool);
}

function refuseMounted(instance: Instance, pool: Pool): void {
  if (isMounted(instance, pool))
    throw invalid(`storage pool '${pool.name}' was mounted meanwhile`, "Repeat the command.");
}

function isMounted({ host }: Instance, pool: Pool): boolean {
  return findPoolMount(host, pool) !== undefined;
}

async function unmountUnused(instance: Instance, pool: Pool): Promise<void> {
  const path = pool.target?.path ?? "";
  try {
    await instance.host.unmount(folderAbove(instance.host, path), path);
  } catch (error) {
    // A guest may have been started meanwhile.
    if (error instanceof SvirtError && error.kind === "in-use")
      await changeStored(instance, () => refuseGuest(instance, pool, error));
    throw error;
  }
}

/**
 * Throws "in-use" while a guest claims a file of the mount, also if no process has it open: it is being
 * started, or its QEMU has ended and its labels are not restored yet. So does a guest whose folder below is
 * still mounted.
 */
function refuseGuest(instance: Instance, pool: Pool, cause?: SvirtError): void {
  const mount = findPoolMount(instance.host, pool);
  const guest =
    mount === undefined
      ? undefined
      : (findGuestOn(instance, mount.device) ?? findGuestMounting(instance, mount.path));
  if (guest === undefined) return;
  throw new SvirtError(
    `Cannot unmount ${mount?.path}: the guest ${guest} uses a volume of the storage pool '${pool.name}'`,
    {
      kind: "in-use",
      remedy: `Stop that guest: svirt shutdown ${guest}. If it has ended: svirt recover`,
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** Returns the folder that has the mount point. Throws "denied" if the path leads through a symbolic link. */
function folderAbove(host: Host, path: string): Parameters<Host["unmount"]>[0] {
  const above = path.slice(0, path.lastIndexOf("/")) || "/";
  const id = host.inspectFile(above)?.id;
  if (id?.path === above) return id;
  throw new SvirtError(`Cannot unmount ${path}: ${above} is another folder than when it was mounted`, {
    kind: "denied",
    remedy: `Find the program that replaced it, and unmount it yourself: umount ${path}`,
  });
}
