import { errorsOf, SvirtError } from "../../../errors.ts";
import type { Step } from "../../../plan/steps/step.ts";
import { listSessionHosts } from "../../../resolve/pools/iscsi-devices.ts";
import { listUnits } from "../../../resolve/pools/scsi-devices.ts";
import type { Instance } from "../../../state/instance.ts";
import { withIscsiLock } from "../../../state/locks.ts";
import {
  type ChapLogin,
  type IscsiTarget,
  iscsiTarget,
  recordCommands,
} from "../../../storage/pool/iscsi/target.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import type { RunPart, SlowChange } from "../../object-change/slow-change.ts";
import { changeStored } from "../../stored/change-stored.ts";
import type { StoredIdentity } from "../../stored/mark-stored.ts";
import { refuseUsed } from "../device/refuse-used.ts";
import type { PoolStart } from "../open-target.ts";
import { type PoolSource, startAfter } from "../start-held.ts";
import { addKnownIface, planIface } from "./iface.ts";
import { chapPassword, readRecordOf, refuseWithoutPassword } from "./password.ts";

/**
 * Returns the change that logs in to the target of a pool, unless the host has a session with it, and makes
 * the pool active. If it fails, it logs out again, unless something uses a disk of the target already. No
 * other pool logs in to the target or out of it meanwhile. It throws "failed", "timeout"; "unsupported"
 * without iscsiadm; "denied" for a restricted key. virStorageBackendISCSIStartPool() of libvirt
 */
export function sessionStart(start: PoolStart): SlowChange<StoredIdentity> {
  const { seen } = start;
  // Another program may have made the session since the plan.
  let isOurs = true;
  const onSession = (): void => {
    isOurs = false;
  };
  return startAfter(start, {
    plan: async (instance) => {
      const { first, last } = await planLogin(instance, seen);
      return [...first, ...last];
    },
    bringUp: async (instance, run) => await bringUp(instance, seen, { run, onSession }),
    source: SESSION_SOURCE,
    keeps: async (instance, step) =>
      step.do === "log-out-target" && (!isOurs || (await keepsSession(instance, seen))),
  });
}

/** Session of the host with a pool's target. */
export const SESSION_SOURCE = {
  hold: whileLoggingOut,
  isUp: (instance, pool) => hasSession(instance, iscsiTarget(pool)),
} as const satisfies PoolSource;

/** Does the work while no other pool logs in to the target or out of it. The caller holds no lock. */
async function whileLoggingOut<Result>(
  instance: Instance,
  pool: Pool,
  work: () => Promise<Result>,
): Promise<Result> {
  return await withIscsiLock(instance, iscsiTarget(pool).name, work);
}

/** Steps of a login, before and after the password is there, and the password. */
interface PlannedLogin {
  readonly first: readonly Step[];
  readonly last: readonly Step[];
  readonly target: IscsiTarget;
  readonly password: string | undefined;
  /** Whether the steps write the record with the password, so that it is to be read again. */
  readonly isWritten: boolean;
}

async function bringUp(
  instance: Instance,
  pool: Pool,
  { onSession, run }: { readonly run: RunPart; onSession(): void },
): Promise<void> {
  const { first, isWritten, last, password, target } = await planLogin(instance, pool);
  await run(first, { passwords: new Map(password === undefined ? [] : [[target.name, password]]) });
  if (isWritten && target.login !== undefined)
    refuseWithoutPassword(target, target.login, await readRecordOf(instance.host, target));
  await run(last, { onSession });
}

/** Decides a login; without steps if the host has a session. */
async function planLogin(instance: Instance, pool: Pool): Promise<PlannedLogin> {
  const wanted = iscsiTarget(pool);
  const without = { password: undefined, isWritten: false };
  if (hasSession(instance, wanted)) return { first: [], last: [], target: wanted, ...without };
  if (instance.isForKey === true) throw notForKey(wanted);
  const { steps, target } = await planIface(instance.host, wanted);
  const last = [{ do: "log-in-target", ...placeOf(target) } as const];
  if (target.login === undefined) return { first: steps, last, target, ...without };
  const isNew = steps.length > 0;
  const { password, steps: more } = await planPassword(instance, target, { login: target.login, isNew });
  return { first: [...steps, ...more], last, target, password, isWritten: more.length > 0 };
}

/**
 * Decides how the record of a target gets the password of the pool's secret. A new interface has no record.
 */
async function planPassword(
  instance: Instance,
  target: IscsiTarget,
  { isNew, login }: { readonly login: ChapLogin; readonly isNew: boolean },
): Promise<{ readonly steps: readonly Step[]; readonly password: string | undefined }> {
  const { name, portal } = target;
  const chap = chapPassword(instance, target, login);
  const record = isNew ? undefined : await readRecordOf(instance.host, target);
  if (record !== undefined && chap === undefined) refuseWithoutPassword(target, login, record);
  const make =
    record !== undefined
      ? []
      : recordCommands(target).map(
          (words): Step => ({ do: "prepare-login", target: name, portal, words: [...words] }),
        );
  if (chap === undefined) return { steps: make, password: undefined };
  const step = { do: "set-iscsi-password", ...placeOf(target), user: chap.user } as const;
  return { steps: [...make, step], password: chap.password };
}

function placeOf({ iface, name, portal }: IscsiTarget): Pick<IscsiTarget, "iface" | "name" | "portal"> {
  return { name, portal, ...(iface === undefined ? {} : { iface }) };
}

/** Reports whether a failed start leaves the session: it is gone, or something uses a disk of it. */
async function keepsSession(instance: Instance, pool: Pool): Promise<boolean> {
  if (!hasSession(instance, iscsiTarget(pool))) return true;
  const used = await changeStored(instance, () => errorsOf(() => refuseUsedSession(instance, pool)));
  return used.length > 0;
}

function hasSession({ host }: Instance, target: IscsiTarget): boolean {
  return listSessionHosts(host, target).length > 0;
}

/**
 * Returns the step that logs out of the target of a pool, if the host has a session with it by the pool's
 * portal. A restricted key, which cannot log in either, leaves the session.
 */
export async function planLogOut(instance: Instance, pool: Pool): Promise<readonly Step[]> {
  const wanted = iscsiTarget(pool);
  if (instance.isForKey === true || !hasSession(instance, wanted)) return [];
  // Without the interface, all sessions with the target would end.
  const target = await addKnownIface(instance.host, wanted);
  return target === undefined ? [] : [{ do: "log-out-target", ...placeOf(target) }];
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
