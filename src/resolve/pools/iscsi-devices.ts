import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { type IscsiTarget, loginCommand } from "../../storage/pool/iscsi/target.ts";
import { type PoolDevice, unlessGone } from "./pool-device.ts";
import { listUnits } from "./scsi-devices.ts";

const SESSIONS = "/sys/class/iscsi_session";
/** SCSI host of a session, in its path of sysfs. */
const HOST = /\/host(\d+)\//;

/**
 * State of a session with a connection. The others are FAILED and, once its time is over, FREE.
 * iscsi_session_state_names of Linux
 */
const CONNECTED = "LOGGED_IN";

type SessionName = Pick<IscsiTarget, "initiator" | "name">;

/**
 * Lists the disks of a target with a session of the host, as a SCSI host's disks. Throws "wrong-state"
 * without a session. virStorageBackendISCSIRefreshPool() of libvirt
 */
export function listTargetDevices(host: Host, wanted: IscsiTarget, target: string): readonly PoolDevice[] {
  const [hostNumber] = listSessionHosts(host, wanted);
  if (hostNumber === undefined) throw withoutSession(wanted);
  return listUnits(host, { hostNumber, target });
}

/**
 * Throws "timeout" if the kernel has lost the connection of every session with a target. Reads and writes
 * then wait until the connection is back, or until the session's time limit, by default 120 seconds. Reads
 * sysfs alone. node.session.timeo.replacement_timeout of open-iscsi
 */
export function refuseLostTarget(host: Host, wanted: IscsiTarget): void {
  const states = listSessions(host, wanted).map(({ state }) => state);
  if (states.length === 0 || states.some((state) => state === undefined || state === CONNECTED)) return;
  throw new SvirtError(`Cannot use the iSCSI target ${wanted.name}: it does not answer`, {
    kind: "timeout",
    place: "/pool/source/device/@path",
    remedy: `See whether the target runs and the network leads to ${wanted.portal}, and try again.`,
  });
}

/**
 * Lists the numbers of the SCSI hosts of the sessions with a target, possibly with several portals. With a
 * name of the initiator only its own logins count: a target may show other disks to another initiator.
 * virISCSIGetSession() of libvirt
 */
export function listSessionHosts(host: Host, wanted: SessionName): readonly string[] {
  return listSessions(host, wanted).map(({ hostNumber }) => hostNumber);
}

/** Session with a target, with the number of its SCSI host. */
interface Session {
  readonly hostNumber: string;
  readonly state: string | undefined;
}

function listSessions(host: Host, { initiator, name }: SessionName): readonly Session[] {
  return host.listFolder(SESSIONS).flatMap((session) => {
    const folder = `${SESSIONS}/${session}`;
    const read = (file: string): string | undefined =>
      unlessGone(host, folder, () => host.readText(`${folder}/${file}`)?.trim());
    if (read("targetname") !== name) return [];
    if (initiator !== undefined && read("initiatorname") !== initiator) return [];
    const hostNumber = HOST.exec(host.inspectFile(folder)?.id.path ?? "")?.[1];
    return hostNumber === undefined ? [] : [{ hostNumber, state: read("state") }];
  });
}

function withoutSession({ initiator, name, portal }: IscsiTarget): SvirtError {
  const who = initiator === undefined ? "" : ` as ${initiator}`;
  return new SvirtError(`Cannot use the iSCSI target ${name}: the host is not logged in to it${who}`, {
    kind: "wrong-state",
    from: "STORAGE",
    place: "/pool/source/device/@path",
    remedy:
      initiator === undefined
        ? `Log in: ${loginCommand({ name, portal }).join(" ")}`
        : "Log in by ending the pool and starting it: svirt pool-destroy POOL; svirt pool-start POOL",
  });
}
