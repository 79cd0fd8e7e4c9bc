import { parseContextOrUndefined, trimLabel } from "../context.ts";
import { isRange } from "../level.ts";
import { type AuditLine, parseAuditLine } from "./audit-line.ts";

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
  /** Whether there were more, and older ones were left out. */
  readonly isCut: boolean;
}

/** The most denials, paths or machines that are kept, of a log of any length. */
export const MOST_DENIALS = 10_000;

/** Reads a log, whatever else is in it, in memory that does not grow with it: the latest denials since then are kept. */
export function parseAuditLog(lines: Iterable<string>, sinceMs = 0): AuditLog {
  const denials = new Latest<Denial>();
  const paths = new Latest<string>();
  const machines = new Latest<AuditedMachine>();
  for (const line of lines) {
    const parsed = parseAuditLine(line);
    if (parsed?.type === "PATH") notePath(paths, parsed);
    else if (parsed?.type === "VIRT_MACHINE_ID") noteMachine(machines, parsed);
    else if (parsed !== undefined && parsed.atMs >= sinceMs) noteDenial(denials, parsed);
  }
  return {
    denials: denials.values().map((denial) => withPath(denial, paths)),
    machines: machines.values(),
    isCut: denials.isCut,
  };
}

/** What was set last, in the order in which it came first. In two halves: to take the first out of a Map again and again is slow. */
class Latest<Value> {
  #older = new Map<string, Value>();
  #newer = new Map<string, Value>();
  #isCut = false;

  set(key: string, value: Value): void {
    (this.#older.has(key) ? this.#older : this.#newer).set(key, value);
    if (this.#newer.size < MOST_DENIALS) return;
    this.#isCut ||= this.#older.size > 0;
    this.#older = this.#newer;
    this.#newer = new Map();
  }

  get(key: string): Value | undefined {
    return this.#newer.get(key) ?? this.#older.get(key);
  }

  values(): Value[] {
    return [...this.#older.values(), ...this.#newer.values()].slice(-MOST_DENIALS);
  }

  /** Whether some are not among them. */
  get isCut(): boolean {
    return this.#isCut || this.#older.size + this.#newer.size > MOST_DENIALS;
  }
}

/** The kernel's log and auditd's have the same event, and one event may be several denials. */
function keyOf({ event, permissions, source, target, targetClass }: Denial): string {
  return [event, source, target, targetClass, ...permissions].join(" ");
}

function noteDenial(denials: Latest<Denial>, line: AuditLine): void {
  for (const denial of denialIn(line)) denials.set(keyOf(denial), denial);
}

function noteMachine(machines: Latest<AuditedMachine>, line: AuditLine): void {
  for (const machine of machineIn(line)) machines.set(JSON.stringify(machine), machine);
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
function notePath(paths: Latest<string>, { event, fields }: AuditLine): void {
  const [inode, name] = [fields.get("inode"), fields.get("name")];
  if (inode !== undefined && name?.startsWith("/") === true) paths.set(`${event} ${inode}`, name);
}

function withPath(denial: Denial, paths: Latest<string>): Denial {
  const { object } = denial;
  const path = object.path ?? paths.get(`${denial.event} ${object.inode ?? ""}`);
  return path === undefined ? denial : { ...denial, object: { ...object, path } };
}

function isContext(text: string | undefined): text is string {
  // parseContextOrUndefined() accepts a trailing NUL, as in an attribute. The kernel writes none into its log.
  const context = text === undefined || text !== trimLabel(text) ? undefined : parseContextOrUndefined(text);
  return context !== undefined && (context.range === undefined || isRange(context.range));
}

function wordOf(text: string | undefined): string | undefined {
  return text !== undefined && /^\w{1,64}$/.test(text) ? text : undefined;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
