import { type AuditLine, parseAuditLine } from "./audit-line.ts";
import { parseContextOrUndefined } from "./context.ts";
import { isRange } from "./level.ts";

/** What was asked of, as far as the kernel tells. All of it may have been chosen by whom it was denied. */
export interface DeniedObject {
  /** As the process that asked sees it. */
  readonly path: string | undefined;
  /** The last part of a path. */
  readonly name: string | undefined;
  /** The file system's name of its device: `vdc`, `tmpfs`. */
  readonly fileSystem: string | undefined;
  readonly inode: string | undefined;
  /** Of a socket: the port that was asked for. */
  readonly port: string | undefined;
}

/** Something that SELinux did not allow, or that it could not make a context for. */
export interface Denial {
  readonly atMs: number;
  /** Which event of the kernel's log it is. */
  readonly event: string;
  readonly source: string;
  readonly target: string;
  readonly targetClass: string;
  readonly permissions: readonly string[];
  /** False: it was only noted, because the kernel or the type is permissive. */
  readonly isEnforced: boolean;
  /** The operation that has no context: `security_compute_sid`. Such a thing no rule allows. */
  readonly operation: string | undefined;
  readonly pid: number | undefined;
  readonly command: string | undefined;
  readonly object: DeniedObject;
}

/** A guest of libvirt, as it tells the audit daemon. */
export interface AuditedMachine {
  readonly name: string;
  readonly uuid: string | undefined;
  readonly context: string;
}

/** What a log tells. */
export interface AuditLog {
  /** In the order of the log, each event once. */
  readonly denials: readonly Denial[];
  readonly machines: readonly AuditedMachine[];
}

/** Reads a log, whatever else is in it. */
export function parseAuditLog(lines: Iterable<string>): AuditLog {
  const denials = new Map<string, Denial>();
  const paths = new Map<string, string>();
  const machines: AuditedMachine[] = [];
  for (const line of lines) {
    const parsed = parseAuditLine(line);
    if (parsed === undefined) continue;
    if (parsed.type === "PATH") notePath(paths, parsed);
    else if (parsed.type === "VIRT_MACHINE_ID") machines.push(...machineIn(parsed));
    else for (const denial of denialIn(parsed)) denials.set(keyOf(denial), denial);
  }
  return { denials: [...denials.values()].map((denial) => withPath(denial, paths)), machines };
}

/** The kernel's log and auditd's have the same event, and one event may be several denials. */
function keyOf({ event, permissions, source, target, targetClass }: Denial): string {
  return [event, source, target, targetClass, ...permissions].join(" ");
}

function denialIn({ atMs, event, fields, permissions, type, verdict }: AuditLine): Denial[] {
  if (verdict === "granted") return [];
  const operation = type === "SELINUX_ERR" ? fields.get("op") : undefined;
  const source = fields.get("scontext") ?? fields.get("oldcontext");
  const target = fields.get("invalid_context") ?? fields.get("newcontext") ?? fields.get("tcontext");
  if (!isContext(source) || !isContext(target)) return [];
  if (type === "SELINUX_ERR" && operation === undefined) return [];
  return [
    {
      atMs,
      event,
      source,
      target,
      targetClass: wordOf(fields.get("tclass")) ?? "process",
      permissions,
      isEnforced: fields.get("permissive") !== "1",
      operation: wordOf(operation),
      pid: numberOf(fields.get("pid")),
      command: fields.get("comm"),
      object: {
        path: fields.get("path"),
        name: fields.get("name"),
        fileSystem: fields.get("dev"),
        inode: numberOf(fields.get("ino"))?.toString(),
        port: numberOf(fields.get("dest") ?? fields.get("src"))?.toString(),
      },
    },
  ];
}

function machineIn({ fields }: AuditLine): AuditedMachine[] {
  const [name, context] = [fields.get("vm"), fields.get("vm-ctx")];
  return name === undefined || !isContext(context) ? [] : [{ name, uuid: fields.get("uuid"), context }];
}

/** auditd knows the path where the kernel only knows a name: it is in a line of its own, and told by the inode. */
function notePath(paths: Map<string, string>, { event, fields }: AuditLine): void {
  const [inode, name] = [fields.get("inode"), fields.get("name")];
  if (inode !== undefined && name?.startsWith("/") === true) paths.set(`${event} ${inode}`, name);
}

function withPath(denial: Denial, paths: ReadonlyMap<string, string>): Denial {
  const { object } = denial;
  const path = object.path ?? paths.get(`${denial.event} ${object.inode ?? ""}`);
  return path === undefined ? denial : { ...denial, object: { ...object, path } };
}

function isContext(text: string | undefined): text is string {
  const context = text === undefined ? undefined : parseContextOrUndefined(text);
  return context !== undefined && (context.range === undefined || isRange(context.range));
}

function wordOf(text: string | undefined): string | undefined {
  return text !== undefined && /^\w{1,64}$/.test(text) ? text : undefined;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
