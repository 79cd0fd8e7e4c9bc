import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { type IscsiTarget, loginCommand } from "../../storage/pool/iscsi/target.ts";
import type { PoolDevice } from "./pool-device.ts";
import { listUnits } from "./scsi-devices.ts";

const SESSIONS = "/sys/class/iscsi_session";
/** SCSI host of a session, in its path of sysfs. */
const HOST = /\/host(\d+)\//;

/**
 * Lists the disks of a target to which the host has a session, as those of a SCSI host. Throws "wrong-state" without a session.
 * virStorageBackendISCSIRefreshPool() of libvirt
 */
export function listTargetDevices(host: Host, wanted: IscsiTarget, target: string): readonly PoolDevice[] {
  const hostNumber = sessionHost(host, wanted.name);
  if (hostNumber === undefined) throw withoutSession(wanted);
  return listUnits(host, { hostNumber, target });
}

/** Returns the number of the SCSI host of a session with the target; undefined without one. virISCSIGetSession() of libvirt */
export function sessionHost(host: Host, name: string): string | undefined {
  const session = host
    .listFolder(SESSIONS)
    .find((one) => host.readText(`${SESSIONS}/${one}/targetname`)?.trim() === name);
  if (session === undefined) return undefined;
  return HOST.exec(host.inspectFile(`${SESSIONS}/${session}`)?.id.path ?? "")?.[1];
}

function withoutSession({ name, portal }: IscsiTarget): SvirtError {
  return new SvirtError(`Cannot use the iSCSI target ${name}: the host is not logged in to it`, {
    kind: "wrong-state",
    place: "/pool/source/device/@path",
    remedy: `Log in: ${loginCommand({ name, portal }).join(" ")}`,
  });
}
