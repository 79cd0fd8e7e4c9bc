import { asSvirtError } from "../../errors.ts";
import type { OpenFile } from "../../host/processes.ts";
import { labelModel } from "../../label/label-models.ts";
import { tapsOf } from "../../plan/record/released-resources.ts";
import { askServers, type SilentAt } from "../../resolve/silent-server.ts";
import { listGuestProcesses } from "../../run/process/kill-guest.ts";
import { describeHeld } from "../../run/process/still-held.ts";
import { parseContextOrUndefined } from "../../selinux/context.ts";
import { type Instance, registryOf } from "../../state/instance.ts";
import { type GuestRecord, identityOf, isRunning, readRecords } from "../../state/record.ts";
import { listHeldInChange } from "../change/release-resources.ts";
import { findLostRules } from "../lost-rules/find-lost-rules.ts";
import { isAtWork, type Look, lookUntilSettled } from "./commands-at-work.ts";
import { findDamagedFiles } from "./damaged-files.ts";
import { type AuditedDevice, auditDevices } from "./device-nodes.ts";
import { findLeftovers } from "./leftovers.ts";
import { type AuditedFile, auditFile } from "./open-file.ts";
import { findStaleLabels, findStaleNeighbours, notChecked } from "./stale-labels.ts";
import { findUnfinished } from "./unfinished-changes.ts";

// Rule: An audit compares each guest's processes and files with its record.

/** State of a guest as the kernel shows it, and the context decided for it. */
interface AuditedGuest {
  readonly name: string;
  readonly uuid: string;
  readonly pid: number | undefined;
  readonly uid: number;
  readonly decided: string | undefined;
  readonly label: string | undefined;
  readonly files: readonly AuditedFile[];
}

/**
 * Result of an audit. Without findings every guest is confined as decided, and ended guests have left
 * nothing.
 */
export interface Audit {
  readonly mode: "enforcing" | "permissive" | "disabled";
  readonly guests: readonly AuditedGuest[];
  readonly devices: readonly AuditedDevice[];
  readonly findings: readonly string[];
}

/**
 * Inspects the processes and files of all guests, as the kernel shows them. Changes nothing. Beside other
 * commands it looks several times: lookUntilSettled().
 */
export async function auditNode(instance: Instance): Promise<Audit> {
  const { hasEnded: _, ...audit } = await lookUntilSettled(instance, () => inspect(instance));
  return audit;
}

async function inspect(instance: Instance): Promise<Audit & Look> {
  const damaged = new Map<string, string>();
  const records = readRecords(instance, ({ message }, uuid) => damaged.set(uuid, message));
  const running = records.filter((guest) => isRunning(instance, guest));
  const silentAt = await askServers(instance.host);
  const guests = running.map((guest) => auditGuest(instance, guest, silentAt));
  const devices = auditDevices(instance, running);
  const ended = records.filter((guest) => !isRunning(instance, guest) && !isAtWork(instance, guest.uuid));
  const { mode } = instance.host.getSelinux();
  return {
    mode,
    guests,
    devices,
    hasEnded: ended.length > 0,
    findings: [
      ...(mode === "enforcing" ? [] : [`SELinux is ${mode}: guests are not confined`]),
      ...guests.flatMap(findingsOf),
      ...running.flatMap((guest) => findHeld(instance, guest)),
      ...running.flatMap(findBypassed),
      ...findSharedLevels(instance, guests),
      ...devices.flatMap(({ finding, guest, path }) =>
        finding === undefined ? [] : [`${guest === undefined ? "" : `${guest}: `}${path} ${finding}`],
      ),
      ...damaged.values(),
      ...registryOf(instance)
        .listDamaged()
        .map(({ message, remedy }) => `${message}; remedy: ${remedy}`),
      ...findDamagedFiles(instance),
      ...(await listLostRules(instance, running)),
      ...(await findUnfinished(instance, { running, silentAt })),
      ...findLeftovers(instance, { damaged: [...damaged.keys()], ended, records }),
      ...(await findStaleLabels(instance, { records, silentAt })),
      ...findStaleNeighbours(instance, { records, silentAt }),
    ].filter((finding, at, all) => all.indexOf(finding) === at),
  };
}

function auditGuest(instance: Instance, guest: GuestRecord, silentAt: SilentAt): AuditedGuest {
  const processes = listGuestProcesses(instance.host, identityOf(guest));
  const decided = labelModel(guest.label.model).verify(guest.label)?.context;
  return {
    name: guest.name,
    uuid: guest.uuid,
    pid: guest.process?.pid ?? processes[0]?.pid,
    uid: guest.uid,
    decided,
    label: processes.find((process) => process.context !== decided)?.context ?? processes[0]?.context,
    files: processes.flatMap((process) =>
      instance.host
        .listOpenFiles(process.pid, (target) => silentAt(target) !== undefined)
        .filter((file) => file.target.startsWith("/"))
        .map((file) => auditAnswering(instance, guest, { file, mount: silentAt(file.target) })),
    ),
  };
}

/** Audits an open file, if its server answers. */
function auditAnswering(
  instance: Instance,
  guest: GuestRecord,
  { file, mount }: { readonly file: OpenFile; readonly mount: string | undefined },
): AuditedFile {
  if (mount === undefined) return auditFile(instance, guest, file);
  return { fd: file.fd, path: file.target, label: undefined, finding: notChecked(mount) };
}

function findingsOf(guest: AuditedGuest): string[] {
  const wrong = guest.label === guest.decided || guest.decided === undefined;
  return [
    ...(wrong
      ? []
      : [`${guest.name}: its process has the context ${guest.label ?? "none"} instead of ${guest.decided}`]),
    ...(guest.decided === undefined
      ? [`${guest.name}: runs without confinement, as its XML and the settings say`]
      : []),
    ...guest.files.flatMap(({ finding, path }) =>
      finding === undefined ? [] : [`${guest.name}: ${path} ${finding}`],
    ),
  ];
}

/**
 * Lists rules of the packet filter that are not as svirt has set them. Without them guests reach and send
 * what they should not.
 */
async function listLostRules(
  instance: Instance,
  running: readonly GuestRecord[],
): Promise<readonly string[]> {
  try {
    return (await findLostRules(instance, running)).map(({ finding }) => finding);
  } catch (error) {
    const { message, remedy } = asSvirtError(error);
    return [`the rules of guests and networks cannot be checked: ${message}; remedy: ${remedy}`];
  }
}

/**
 * Finds guests that an older svirt has started with a filter, and with headers of frames or vhost-net, which
 * bypass it.
 */
function findBypassed({ name, steps }: GuestRecord): string[] {
  const taps = steps.flatMap(tapsOf);
  const filtered = steps.flatMap((step) =>
    step.do === "set-tap-rules" && "filter" in step.rules ? [step.rules.tap] : [],
  );
  const isBypassed =
    filtered.length > 0 &&
    taps.some((tap) => tap.vhosts.length > 0 || (tap.hasHeader && filtered.includes(tap.name)));
  return isBypassed
    ? [`${name}: headers of its frames bypass its packet filter; start it again: svirt shutdown ${name}`]
    : [];
}

/**
 * Finds files that the guest should have released. Their labels and claims stay unavailable to other guests.
 * A command that works on the guest may be waiting for the release.
 */
function findHeld(instance: Instance, guest: GuestRecord): string[] {
  const { change, name, uuid } = guest;
  if (change !== undefined && isAtWork(instance, uuid)) return [];
  return listHeldInChange(instance, guest).map(
    (held) =>
      `${name} has not released a device (${change?.what}): ${describeHeld(held)}; end the guest: svirt destroy ${name}`,
  );
}

/** Finds levels shared by two guests, or by a guest and a foreign process. */
function findSharedLevels(instance: Instance, guests: readonly AuditedGuest[]): string[] {
  const holders = new Map<string, AuditedGuest>();
  const shared: string[] = [];
  for (const guest of guests) {
    const range = pairIn(guest.label);
    const other = range === undefined ? undefined : holders.get(range);
    if (other !== undefined) shared.push(`${other.name} and ${guest.name} share the level ${range}`);
    else if (range !== undefined) holders.set(range, guest);
  }
  const users = new Set(guests.map(({ uid }) => uid));
  const strangers = instance.host.listProcesses().flatMap(({ command, context, pid, uid }) => {
    const holder = holders.get(pairIn(context) ?? "");
    if (holder === undefined || users.has(uid)) return [];
    return [`process ${pid} (${command}) runs at the level ${pairIn(context)} of the guest ${holder.name}`];
  });
  return [...shared, ...strangers];
}

/**
 * Returns the range of a context if it has categories; a range without categories is not that of a single
 * guest.
 */
function pairIn(context: string | undefined): string | undefined {
  const range = context === undefined ? undefined : parseContextOrUndefined(context)?.range;
  return range?.includes(":c") === true ? range : undefined;
}
