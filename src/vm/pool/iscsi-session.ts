import { errorsOf, listErrors, SvirtError, throwErrors } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { ProgramEnd } from "../../host/processes.ts";
import { refuseBusyDisk } from "../../resolve/busy-disk.ts";
import { listTargetDevices, sessionHost } from "../../resolve/pools/iscsi-devices.ts";
import { listRelated } from "../../resolve/related-devices.ts";
import { type Instance, registryOf } from "../../state/instance.ts";
import { readRecord } from "../../state/record.ts";
import {
  type IscsiTarget,
  iscsiTarget,
  loginCommand,
  logoutCommand,
  recordCommands,
} from "../../storage/pool/iscsi/target.ts";
import type { Pool } from "../../storage/pool/keep-pool.ts";

/** Most time of one command of iscsiadm. It asks a target that does not answer for minutes. */
const COMMAND_MS = 30_000;
/** Exit code for a target without a record. ISCSI_ERR_NO_OBJS_FOUND, iscsiadm(8) */
const NO_RECORD = 21;

/**
 * Does the work of a start. Before, logs in to the target of a pool of type iscsi, unless the host has a session with it; logs out again
 * if the work fails. The caller holds no lock. Throws "failed", "timeout"; "unsupported" without iscsiadm; "denied" for a restricted key.
 * virStorageBackendISCSIStartPool() of libvirt
 */
export async function withSession<Result>(
  { host, isForKey }: Instance,
  pool: Pool,
  work: () => Promise<Result>,
): Promise<Result> {
  const target = pool.type === "iscsi" ? iscsiTarget(pool) : undefined;
  if (target === undefined || sessionHost(host, target.name) !== undefined) return await work();
  if (isForKey === true) throw notForKey(target);
  logIn(host, target);
  try {
    return await work();
  } catch (error) {
    const failed = errorsOf(() => run(host, "log out of", { target, words: logoutCommand(target) }));
    throwErrors([...listErrors(error), ...failed]);
    throw error;
  }
}

/** Logs in. A record that is there keeps its password and settings, which a new one would replace. */
function logIn(host: Host, target: IscsiTarget): void {
  const login = { target, words: loginCommand(target) };
  const end = host.runProgram(login.words, COMMAND_MS);
  if ("code" in end && end.code === NO_RECORD) {
    for (const words of recordCommands(target)) run(host, "log in to", { target, words });
    run(host, "log in to", login);
  } else {
    check(end, "log in to", login);
  }
}

/** Logs out of the target of a pool of type iscsi, if the host has a session with it. Throws as withSession(). The caller holds no lock. */
export function logOut({ host }: Instance, pool: Pool): void {
  if (pool.type !== "iscsi") return;
  const target = iscsiTarget(pool);
  if (sessionHost(host, target.name) === undefined) return;
  run(host, "log out of", { target, words: logoutCommand(target) });
}

/** Throws "in-use" if a guest or the host uses a disk that would go with the session of a pool. The caller holds the registry's lock. */
export function refuseUsedSession(instance: Instance, pool: Pool): void {
  const { host } = instance;
  const target = pool.type === "iscsi" ? iscsiTarget(pool) : undefined;
  if (target === undefined || sessionHost(host, target.name) === undefined) return;
  // All disks go with the session, also those without a path in the pool's target.
  for (const { facts, name } of listTargetDevices(host, target, "/dev")) {
    const numbers = [facts.id.node, ...listRelated(host, facts.id).map(({ number }) => number)];
    const [holder] = numbers.flatMap((number) =>
      registryOf(instance).listHolders("file", `device-${number}`),
    );
    const guest = holder && (readRecord(instance, holder.owner)?.name ?? holder.owner);
    if (guest !== undefined) throw used(pool, `the guest ${guest} uses ${name}`, `svirt shutdown ${guest}`);
    const [busy] = errorsOf(() => refuseBusyDisk(host, facts.id));
    if (busy !== undefined) throw used(pool, `the host uses ${name}`, "umount, or swapoff");
  }
}

interface Command {
  readonly target: IscsiTarget;
  readonly words: readonly string[];
}

function run(host: Host, attempt: string, command: Command): void {
  check(host.runProgram(command.words, COMMAND_MS), attempt, command);
}

/** Throws the error of a command that has failed. */
function check(end: ProgramEnd, attempt: string, { target, words }: Command): void {
  if ("code" in end && end.code === 0) return;
  const command = words.join(" ");
  const message = `Cannot ${attempt} the iSCSI target ${target.name}`;
  if ("code" in end) {
    const why = end.errors.trim().split("\n").at(-1) || `${command} failed with ${end.code}`;
    throw new SvirtError(`${message}: ${why}`, {
      kind: "failed",
      remedy: `Load iscsi_tcp and start iscsid, then try it yourself: ${command}`,
    });
  }
  if (end.fault === "timeout")
    throw new SvirtError(`${message}: iscsiadm did not end within ${COMMAND_MS / 1000} s`, {
      kind: "timeout",
      remedy: `Check the portal ${target.portal}, then repeat the command.`,
    });
  throw new SvirtError(
    `${message}: ${words[0]} is ${end.fault === "missing" ? "missing" : "not permitted"}`,
    {
      kind: "unsupported",
      remedy: end.fault === "missing" ? "Install open-iscsi." : `Run it yourself: ${command}`,
    },
  );
}

/** The kernel would read what any server says, such as one of the key's thief. */
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
