import { SvirtError } from "../../../errors.ts";
import type { Pool } from "../stored-pool.ts";

/** Program of open-iscsi. */
export const ISCSIADM = "/usr/sbin/iscsiadm";
/** IANA's port of iSCSI targets. ISCSI_DEFAULT_TARGET_PORT of libvirt */
const PORT = 3260;
/** iSCSI name, RFC 7143 4.2.7; open-iscsi also takes capital letters. */
const NAME = /^(?:iqn|eui|naa)\.[A-Za-z0-9.:_-]{1,220}$/;

/** Value printed by iscsiadm for none. */
const EMPTY = "<empty>";

/** User of a target, and the name of the secret with the password. */
export interface ChapLogin {
  readonly user: string;
  /** UUID or usage of the secret. */
  readonly secret: { readonly uuid?: string; readonly usage?: string };
}

/** Target of a pool, and the portal with it as iscsiadm(8) names it. */
export interface IscsiTarget {
  readonly name: string;
  readonly portal: string;
  /**
   * User of CHAP, and the secret with the password if svirt has it; otherwise the record of the target has a
   * password.
   */
  readonly login?: ChapLogin;
  /** Name for the host's login; absent: the name in /etc/iscsi/initiatorname.iscsi. */
  readonly initiator?: string;
  /** Interface of open-iscsi with the name of the initiator. */
  readonly iface?: string;
}

/**
 * Returns the target of a pool. Throws "unsupported" with libvirt's messages for several portals or targets,
 * and for another authentication than CHAP. virStorageBackendISCSIPortal(), virStorageBackendISCSISetAuth()
 * of libvirt
 */
export function iscsiTarget({ source: { auth, devices, hosts, initiator } }: Pool): IscsiTarget {
  const [[host, ...otherHosts], [device, ...otherDevices]] = [hosts, devices];
  if (host === undefined || otherHosts.length > 0)
    throw refused("host", "Expected exactly 1 host for the storage pool", "Write one <host>.");
  if (device === undefined || otherDevices.length > 0)
    throw refused("device", "missing source device", "Write one <device path='iqn.…'/>.");
  if (auth !== undefined && auth.type !== "chap")
    throw refused("auth/@type", "iscsi pool only supports 'chap' auth type", "Write type='chap'.");
  const { iqn } = initiator ?? {};
  refuseNames(device.path, iqn?.name);
  const { name, port = PORT } = host;
  const portal = name.includes(":") ? `[${name}]:${port},1` : `${name}:${port},1`;
  return {
    name: device.path,
    portal,
    ...(auth === undefined ? {} : { login: { user: auth.username, secret: auth.secret } }),
    ...(iqn === undefined ? {} : { initiator: iqn.name }),
  };
}

/** Refuses names impossible for targets and initiators, since a program might take them for an option. */
function refuseNames(target: string, initiator: string | undefined): void {
  if (!NAME.test(target))
    throw refused("device", `${target} is not the name of an iSCSI target`, "Write its name, iqn.…");
  if (initiator !== undefined && !NAME.test(initiator))
    throw refused("initiator/iqn/@name", `${initiator} is not the name of an iSCSI initiator`, "Write iqn.…");
}

/**
 * Returns the command that prints the record of a target, with asterisks in place of passwords. iscsiadm(8)
 */
export function showCommand(target: IscsiTarget): readonly string[] {
  return nodeWords(target);
}

/** Whether a printed record logs in by CHAP as this user, with a password. idbm_print() of open-iscsi */
export function hasPassword(record: string, user: string): boolean {
  const values = new Map(
    record.split("\n").map((line): readonly [string, string] => {
      const at = line.indexOf(" = ");
      return [line.slice(0, at), line.slice(at + " = ".length)];
    }),
  );
  const written = (name: string): string => values.get(`node.session.auth.${name}`) ?? EMPTY;
  return written("authmethod") === "CHAP" && written("username") === user && written("password") !== EMPTY;
}

/** Returns the commands for a record of a target without a login at boot. virISCSINodeNew() of libvirt */
export function recordCommands(target: IscsiTarget): readonly (readonly string[])[] {
  const node = nodeWords(target);
  return [
    [...node, "--op", "new"],
    [...node, "--op", "update", "--name", "node.startup", "--value", "manual"],
  ];
}

/** Returns the command for the login to a target with a record. virISCSIConnectionLogin() of libvirt */
export function loginCommand(target: IscsiTarget): readonly string[] {
  return [...nodeWords(target), "--login"];
}

/** Returns the command that logs out of a target. virISCSIConnectionLogout() of libvirt */
export function logoutCommand(target: IscsiTarget): readonly string[] {
  return [...nodeWords(target), "--logout"];
}

function nodeWords({ iface, name, portal }: IscsiTarget): readonly string[] {
  const words = [ISCSIADM, "--mode", "node", "--portal", portal, "--targetname", name];
  return iface === undefined ? words : [...words, "--interface", iface];
}

function refused(part: string, message: string, remedy: string): SvirtError {
  return new SvirtError(`unsupported configuration: ${message}`, {
    kind: "unsupported",
    libvirt: "CONFIG_UNSUPPORTED",
    from: "STORAGE",
    place: `/pool/source/${part}`,
    remedy,
  });
}
