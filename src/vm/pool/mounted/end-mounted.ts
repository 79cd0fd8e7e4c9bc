import { errorsOfWork, SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { Step } from "../../../plan/steps/step.ts";
import { findPoolMount } from "../../../resolve/pool-mount.ts";
import type { Instance } from "../../../state/instance.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import { findGuestMounting, findGuestOn } from "../../guest/guests-on-mount.ts";
import { changeStored } from "../../stored/change-stored.ts";
import { invalid } from "../find-pool.ts";

/** Parts of the end of a pool that its start has mounted. */
export const END_MOUNTED = {
  before: planUnmount,
  explain: explainBusy,
  source: "shared",
  check: refuseMounted,
  after: async () => [],
} as const;

/** Returns the step that unmounts a pool. Throws "in-use" while a guest uses a volume. */
async function planUnmount(instance: Instance, pool: Pool): Promise<readonly Step[]> {
  const mount = findPoolMount(instance.host, pool);
  if (mount === undefined) return [];
  await changeStored(instance, () => refuseGuest(instance, pool));
  const { path, source } = mount;
  return [{ do: "unmount-pool", path, source, above: folderAbove(instance.host, path) }];
}

/** Returns the error with the guest that keeps the mount: it may have been started meanwhile. */
async function explainBusy(instance: Instance, pool: Pool, error: unknown): Promise<unknown> {
  if (!(error instanceof SvirtError) || error.kind !== "in-use") return error;
  const [found] = await errorsOfWork(
    async () => await changeStored(instance, () => refuseGuest(instance, pool, error)),
  );
  return found ?? error;
}

function refuseMounted({ host }: Instance, pool: Pool): void {
  if (findPoolMount(host, pool) !== undefined)
    throw invalid(`storage pool '${pool.name}' was mounted meanwhile`, "Repeat the command.");
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
export function folderAbove(host: Host, path: string): FileId {
  const above = path.slice(0, path.lastIndexOf("/")) || "/";
  const id = host.inspectFile(above)?.id;
  if (id?.path === above) return id;
  throw new SvirtError(`Cannot unmount ${path}: ${above} is another folder than when it was mounted`, {
    kind: "denied",
    remedy: `Find the program that replaced it, and unmount it yourself: umount ${path}`,
  });
}
