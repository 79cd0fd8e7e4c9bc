import { probeContext, readPolicyFacts } from "../../report/policy-facts.ts";
import { getFileLabel } from "../../run/labels/get-file-label.ts";
import { type Context, parseContext } from "../../selinux/context.ts";
import { type Denial, MOST_DENIALS, parseAuditLog } from "../../selinux/denials/denial.ts";
import type { Instance } from "../../state/instance.ts";
import type { DenialFacts } from "./denial-facts.ts";
import { describeDenial } from "./describe-denial.ts";
import { findKnownFile, findPath, type KnownFile, listKnownFiles } from "./known-files.ts";
import { guestOfRange, type KnownGuest, listKnownGuests } from "./known-guests.ts";
import { reasonFor } from "./reason.ts";

/** Guest as an explanation names it. */
export interface NamedGuest {
  readonly name: string;
  readonly uuid: string | undefined;
  readonly state: KnownGuest["state"];
}

/** Explained denial, with its number of occurrences. */
export interface Explanation {
  /** Guest that was denied access; undefined if the host was, or if the level is unknown. */
  readonly guest: NamedGuest | undefined;
  readonly subject: DenialFacts["subject"];
  /** Guest of the object, by its level or by svirt's records. */
  readonly owner: NamedGuest | undefined;
  readonly denied: string;
  readonly object: string;
  readonly source: string;
  readonly target: string;
  readonly targetClass: string;
  readonly permissions: readonly string[];
  /** False: only logged, because SELinux was permissive. */
  readonly isEnforced: boolean;
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly command: string | undefined;
  readonly pid: number | undefined;
  readonly reason: string;
  readonly rule: string | undefined;
  readonly remedy: string;
}

/** Filter for denials. */
export interface ExplainOptions {
  /** Name or UUID of a guest. */
  readonly guest: string | undefined;
  /** Include programs of the host without relation to guests. */
  readonly isAll: boolean;
  readonly sinceMs: number;
  /** Called if older denials were dropped: only the latest `most` are explained. */
  onCut?(most: number): void;
}

/**
 * Explains the denials in a log, the latest last. Changes nothing. Throws "failed" if there is no policy for
 * guests.
 */
export function explainLog(
  instance: Instance,
  lines: Iterable<string>,
  options: ExplainOptions,
): Explanation[] {
  const log = parseAuditLog(lines, options.sinceMs);
  if (log.isCut) options.onCut?.(MOST_DENIALS);
  const known = collectKnown(instance, listKnownGuests(instance, log.machines));
  return [...Map.groupBy(log.denials, groupKey).values()]
    .map((denials) => explain(instance, known, denials))
    .filter((found) => options.isAll || found.subject !== "other" || found.owner !== undefined)
    .filter(({ guest, owner }) => [guest, owner].some((one) => isMeant(one, options.guest)))
    .sort((a, b) => a.lastMs - b.lastMs);
}

/** Guests, files and policy, read once. */
interface Known {
  readonly guests: readonly KnownGuest[];
  readonly files: readonly KnownFile[];
  readonly guestTypes: ReadonlySet<string>;
  /** Contexts of emulators that svirt has describe themselves. */
  readonly probes: readonly string[];
  readonly imageType: string;
  readonly managerType: string;
}

function collectKnown(instance: Instance, guests: readonly KnownGuest[]): Known {
  const facts = readPolicyFacts(instance.host);
  const { domain, image, own } = facts;
  return {
    guests,
    files: listKnownFiles(instance, guests),
    guestTypes: new Set(Object.values(domain).map(({ type }: Context) => type)),
    probes: (["kvm", "qemu"] as const).map((type) => probeContext(facts, type)),
    imageType: image.image.type,
    managerType: own.type,
  };
}

/** Returns a key for denials of the same object to the same subject, for any permission. */
function groupKey({ isEnforced, object, operation, source, target, targetClass }: Denial): string {
  const what = [object.path ?? object.name, object.inode, object.port];
  return JSON.stringify([source, target, targetClass, operation, isEnforced, ...what]);
}

function explain(instance: Instance, known: Known, denials: readonly Denial[]): Explanation {
  const [first, last] = [denials[0], denials.at(-1)];
  if (first === undefined || last === undefined) throw new Error("a group of denials has one at least");
  const permissions = [...new Set(denials.flatMap((denial) => denial.permissions))];
  const facts = collectFacts(instance, known, { ...last, permissions });
  const { denial, file, guest, owner, source, subject, target } = facts;
  return {
    guest: namedOf(guest),
    subject,
    owner: namedOf(owner ?? file?.guest),
    denied: describeDenial(denial, source, target),
    object: facts.shown,
    source: denial.source,
    target: denial.target,
    targetClass: denial.targetClass,
    permissions,
    isEnforced: denial.isEnforced,
    count: denials.length,
    firstMs: denials.reduce((least, { atMs }) => Math.min(least, atMs), first.atMs),
    lastMs: denials.reduce((most, { atMs }) => Math.max(most, atMs), first.atMs),
    command: denial.command,
    pid: denial.pid,
    ...reasonFor(facts),
  };
}

function collectFacts(instance: Instance, known: Known, denial: Denial): DenialFacts {
  const [source, target] = [parseContext(denial.source), parseContext(denial.target)];
  const guest = guestOfRange(known.guests, source.range, denial.atMs) ?? guestOfProcess(known, denial);
  const file = findKnownFile(instance, known.files, denial.object);
  return {
    denial,
    source,
    target,
    subject: subjectOf(known, denial.source, guest),
    guest,
    owner: guestOfRange(known.guests, target.range, denial.atMs),
    file,
    shown: file?.id.path ?? describeObject(instance, known, denial),
    labelNow: file === undefined ? undefined : labelNow(instance, file.id.path),
    imageType: known.imageType,
    managerType: known.managerType,
    isOn: (name) => readBoolean(instance, name),
  };
}

/**
 * Finds a guest by its process. A static label may have any range, and a guest without confinement has
 * svirt's own context.
 */
function guestOfProcess({ guests }: Known, { atMs, pid, source }: Denial): KnownGuest | undefined {
  return guests.find(({ record, startedMs, state }) =>
    record?.label.label === undefined
      ? state === "running" && record?.process?.pid === pid && startedMs <= atMs
      : record.label.label === source,
  );
}

function subjectOf(known: Known, source: string, guest: KnownGuest | undefined): DenialFacts["subject"] {
  const { range, type } = parseContext(source);
  const isGuests = known.guests.some((one) => one.range === range);
  // A static label may be one without categories.
  if (guest === undefined && known.probes.includes(source) && !isGuests) return "probe";
  if (known.guestTypes.has(type) || guest !== undefined) return "guest";
  return type === known.managerType ? "svirt" : "other";
}

/** Describes the object from the kernel's fields, by its path if known. */
function describeObject(
  instance: Instance,
  { files }: Known,
  { object, permissions, targetClass }: Denial,
): string {
  const { fileSystem, inode, name, path, port } = object;
  // The name of an abstract socket begins with NUL. unix(7)
  if (path !== undefined) return path.replace(/^\0/, "@");
  if (port !== undefined) return `port ${port}`;
  if (targetClass.startsWith("cap")) return permissions.join(", ");
  if (name === undefined) return `a ${targetClass}`;
  if (fileSystem === "proc" && /^\d+$/.test(name)) return `/proc/${name}`;
  return findPath(instance, files, object) ?? `${name} (inode ${inode ?? "?"} on ${fileSystem ?? "?"})`;
}

function labelNow(instance: Instance, path: string): string | undefined {
  try {
    const facts = instance.host.inspectFile(path);
    return facts === undefined ? undefined : getFileLabel(instance.host, facts.id);
  } catch {
    return undefined;
  }
}

/** Reads a boolean; undefined also if svirt is not permitted to read it. */
function readBoolean(instance: Instance, name: string): boolean | undefined {
  try {
    const text = instance.host.readText(`/sys/fs/selinux/booleans/${name}`);
    return text === undefined ? undefined : text.startsWith("1");
  } catch {
    return undefined;
  }
}

function namedOf(guest: KnownGuest | undefined): NamedGuest | undefined {
  return guest === undefined ? undefined : { name: guest.name, uuid: guest.uuid, state: guest.state };
}

function isMeant(guest: NamedGuest | undefined, wanted: string | undefined): boolean {
  return (
    wanted === undefined || guest?.name === wanted || (guest?.uuid !== undefined && guest.uuid === wanted)
  );
}
