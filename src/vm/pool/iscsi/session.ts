import { errorsOf, errorsOfWork, listErrors, SvirtError, throwErrors } from "../../../errors.ts";
import { listSessionHosts } from "../../../resolve/pools/iscsi-devices.ts";
import { listUnits } from "../../../resolve/pools/scsi-devices.ts";
import type { Instance } from "../../../state/instance.ts";
import { withIscsiLock } from "../../../state/locks.ts";
import {
  type IscsiTarget,
  iscsiTarget,
  loginCommand,
  logoutCommand,
} from "../../../storage/pool/iscsi/target.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import { changeStored } from "../../stored/change-stored.ts";
import { refuseUsed } from "../device/refuse-used.ts";
import { checkEnd, codeOf, endOf, NONE_FOUND } from "./command.ts";
import { addKnownIface, addNewIface } from "./iface.ts";
import { makeRecord, preparePassword } from "./password.ts";

/** Exit code for a target with a session. ISCSI_ERR_SESS_EXISTS of iscsiadm(8) */
const SESSION_EXISTS = 15;

/**
 * Does the work of a start. Before, logs in to the target of the pool, unless the host has a session with it;
 * logs out again if the work fails and nothing uses a disk of it yet. No other pool logs in to the target or
 * out of it meanwhile. The caller holds no lock. Throws "failed", "timeout"; "unsupported" without iscsiadm;
 * "denied" for a restricted key. virStorageBackendISCSIStartPool() of libvirt
 */
export async function withSession<Result>(
  instance: Instance,
  pool: Pool,
  work: () => Promise<Result>,
): Promise<Result> {
  const target = iscsiTarget(pool);
  return await withIscsiLock(instance, target.name, async () => {
    const isOurs = hasSession(instance, target) ? false : await logIn(instance, target);
    try {
      return await work();
    } catch (error) {
      const failed = isOurs ? await withdraw(instance, pool) : [];
      throwErrors([...listErrors(error), ...failed]);
      throw error;
    }
  });
}

/** Does the work of an end, which no start of the target may interrupt. The caller holds no lock. */
export async function whileLoggingOut<Result>(
  instance: Instance,
  pool: Pool,
  work: () => Promise<Result>,
): Promise<Result> {
  return await withIscsiLock(instance, iscsiTarget(pool).name, work);
}

/**
 * Logs out of a target that a failed start has logged in to, unless a guest or the host uses a disk of it
 * already.
 */
async function withdraw(instance: Instance, pool: Pool): Promise<readonly SvirtError[]> {
  const used = await changeStored(instance, () => errorsOf(() => refuseUsedSession(instance, pool)));
  return used.length > 0 ? [] : await errorsOfWork(async () => await logOut(instance, pool));
}

function hasSession({ host }: Instance, target: IscsiTarget): boolean {
  return listSessionHosts(host, target).length > 0;
}

/**
 * Logs in, and returns whether this call made the session. A present record keeps its password and settings:
 * a new record would replace them.
 */
async function logIn(instance: Instance, wanted: IscsiTarget): Promise<boolean> {
  const { host, isForKey } = instance;
  if (isForKey === true) throw notForKey(wanted);
  const target = await addNewIface(host, wanted);
  if (target.login !== undefined) await preparePassword(instance, target, target.login);
  const login = { target, words: loginCommand(target) };
  let end = await endOf(host, login);
  if (codeOf(end) === NONE_FOUND) {
    await makeRecord(host, target);
    end = await endOf(host, login);
  }
  if (codeOf(end) === SESSION_EXISTS) return false;
  checkEnd(end, "log in to", login);
  return true;
}

/**
 * Logs out of the target of a pool, if the host has a session with it by the pool's portal. A restricted key,
 * which cannot log in either, leaves the session. Throws as withSession(). The caller holds the lock of the
 * target alone.
 */
export async function logOut({ host, isForKey }: Instance, pool: Pool): Promise<void> {
  const wanted = iscsiTarget(pool);
  if (isForKey === true || listSessionHosts(host, wanted).length === 0) return;
  // Without the interface, all sessions with the target would end.
  const target = await addKnownIface(host, wanted);
  if (target === undefined) return;
  const logout = { target, words: logoutCommand(target) };
  const end = await endOf(host, logout);
  if (codeOf(end) !== NONE_FOUND) checkEnd(end, "log out of", logout);
}

/**
 * Throws "in-use" if a guest or the host uses a disk of a session with the target of a pool. The caller holds
 * the registry's lock. Sessions by other portals count, too: their disks have the same content.
 */
export function refuseUsedSession(instance: Instance, pool: Pool): void {
  const { host } = instance;
  const target = iscsiTarget(pool);
  // All disks go with the session, also disks without a path in the pool's target.
  const disks = listSessionHosts(host, target).flatMap((hostNumber) =>
    listUnits(host, { hostNumber, target: "/dev" }),
  );
  refuseUsed(instance, disks, (why, command) => used(pool, why, command));
}

/** The kernel would read any server's data, such as a server of a key's thief. */
function notForKey({ name }: IscsiTarget): SvirtError {
  return new SvirtError(
    `Cannot log in to the iSCSI target ${name}: a restricted key uses existing sessions only`,
    {
      kind: "denied",
      remedy: "Log in as root on the host, then repeat the command.",
    },
  );
}

function used({ name }: Pool, why: string, command: string): SvirtError {
  return new SvirtError(`Cannot log out of the target of storage pool '${name}': ${why}`, {
    kind: "in-use",
    remedy: `Stop that first: ${command}`,
  });
}
