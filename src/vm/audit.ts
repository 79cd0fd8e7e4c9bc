import type { OpenFile } from "../host.ts";
import { recordsFolder } from "../plan/paths.ts";
import { fileKey } from "../plan/start-plan.ts";
import { listGuestProcesses } from "../run/kill-guest.ts";
import { parseContextOrUndefined } from "../selinux/context.ts";
import { pairOf } from "../selinux/level.ts";
import { type Node, registryOf } from "./node.ts";
import { type GuestRecord, isRunning, readRecords } from "./record.ts";
import { findStaleLabels } from "./stale-labels.ts";

/** A file that a guest holds open. */
interface AuditedFile {
  readonly fd: number;
  readonly path: string;
  readonly label: string | undefined;
  /** Undefined: as it should be. */
  readonly finding: string | undefined;
}

/** A guest as the kernel shows it, beside what was decided for it. */
interface AuditedGuest {
  readonly name: string;
  readonly uuid: string;
  readonly pid: number | undefined;
  readonly uid: number;
  readonly decided: string | undefined;
  readonly label: string | undefined;
  readonly files: readonly AuditedFile[];
}

/** What an audit found. With no findings every guest is confined as decided, and nothing of others is left. */
export interface Audit {
  readonly mode: "enforcing" | "permissive" | "disabled";
  readonly guests: readonly AuditedGuest[];
  readonly findings: readonly string[];
}

/** Looks at the processes and files of all guests, as the kernel shows them. Changes nothing. */
export function auditNode(node: Node): Audit {
  const damaged = new Map<string, string>();
  const records = readRecords(node, ({ message }, uuid) => damaged.set(uuid, message));
  const guests = records.filter((guest) => isRunning(node, guest)).map((guest) => auditGuest(node, guest));
  const { mode } = node.host.getSelinux();
  return {
    mode,
    guests,
    findings: [
      ...(mode === "enforcing" ? [] : [`SELinux is ${mode}: nothing holds the guests back`]),
      ...guests.flatMap(findingsOf),
      ...findSharedLevels(guests),
      ...damaged.values(),
      ...findLeftovers(node, records, [...damaged.keys()]),
      ...findStaleLabels(node),
    ],
  };
}

function auditGuest(node: Node, guest: GuestRecord): AuditedGuest {
  const processes = listGuestProcesses(node.host, guest);
  return {
    name: guest.name,
    uuid: guest.uuid,
    pid: processes[0]?.pid,
    uid: guest.uid,
    decided: guest.label.label,
    label:
      processes.find((process) => process.context !== guest.label.label)?.context ?? processes[0]?.context,
    files: processes.flatMap((process) =>
      node.host
        .listOpenFiles(process.pid)
        .filter((file) => file.target.startsWith("/"))
        .map((file) => auditFile(guest, file)),
    ),
  };
}

function auditFile(guest: GuestRecord, file: OpenFile): AuditedFile {
  const { fd, label, target } = file;
  return { fd, path: target, label, finding: findingOnFile(guest, file) };
}

function findingOnFile(guest: GuestRecord, file: OpenFile): string | undefined {
  const { id, label } = file;
  const planned = guest.steps.find(
    (step) => step.do === "set-label" && id !== undefined && fileKey(step.file) === fileKey(id),
  );
  if (planned?.do === "set-label")
    return planned.to === label ? undefined : `should be labelled ${planned.to}`;
  const range = label === undefined ? undefined : parseContextOrUndefined(label)?.range;
  const own = guest.label.label === undefined ? undefined : parseContextOrUndefined(guest.label.label)?.range;
  if (range === undefined || pairOf(range) === undefined || range === own) return undefined;
  return `carries the level of another guest`;
}

function findingsOf(guest: AuditedGuest): string[] {
  const wrong = guest.label === guest.decided || guest.decided === undefined;
  return [
    ...(wrong
      ? []
      : [`${guest.name}: its process is in ${guest.label ?? "no context"}, decided was ${guest.decided}`]),
    ...(guest.decided === undefined
      ? [`${guest.name}: runs without confinement, as its XML and the settings say`]
      : []),
    ...guest.files.flatMap(({ finding, path }) =>
      finding === undefined ? [] : [`${guest.name}: ${path} ${finding}`],
    ),
  ];
}

function findSharedLevels(guests: readonly AuditedGuest[]): string[] {
  const seen = new Map<string, string>();
  return guests.flatMap(({ label, name }) => {
    const range = label === undefined ? undefined : parseContextOrUndefined(label)?.range;
    if (range === undefined) return [];
    const other = seen.get(range);
    seen.set(range, name);
    return other === undefined ? [] : [`${name} and ${other} share the level ${range}`];
  });
}

function findLeftovers(node: Node, records: readonly GuestRecord[], damaged: readonly string[]): string[] {
  const known = new Set([...records.map((guest) => guest.uuid), ...damaged]);
  const uids = new Set(records.map((guest) => guest.uid));
  const claims = registryOf(node)
    .listAll()
    .filter(({ kind, owner }) => kind !== "static" && !known.has(owner));
  const ended = records.filter((guest) => !isRunning(node, guest));
  const strays = node.host
    .listProcesses()
    .filter((process) => process.command.startsWith("qemu-system") && !uids.has(process.uid));
  return [
    ...claims.map(({ key, kind, owner }) => `${kind} ${key} is held by ${owner}, which has no record`),
    ...ended.map(({ name }) => `${name}: has ended and is not cleared away yet; run svirt recover`),
    ...strays.map(
      ({ context, pid }) => `process ${pid} is a QEMU that is not ours, in ${context ?? "no context"}`,
    ),
    ...node.host
      .listFolder(node.paths.run)
      .filter((name) => name.length === UUID_LENGTH && !known.has(name))
      .map(
        (name) => `${node.paths.run}/${name} is left, and ${recordsFolder(node.paths)} has no record of it`,
      ),
  ];
}

const UUID_LENGTH = 36;
