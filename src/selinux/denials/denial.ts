import { parseContextOrUndefined, trimLabel } from "../context.ts";
import { isRange } from "../level.ts";
import { type AuditLine, parseAuditLine } from "./audit-line.ts";

/**
 * Object of a denied access, as far as the kernel reports it. The denied process may have chosen all of it.
 */
export interface DeniedObject {
  /** As the denied process sees it. */
  readonly path: string | undefined;
  /** Last component of a path. */
  readonly name: string | undefined;
  /** The file system's name of its device: `vdc`, `tmpfs`. */
  readonly fileSystem: string | undefined;
  readonly inode: string | undefined;
  /** Requested port of a socket. */
  readonly port: string | undefined;
}

/** Access denied by SELinux, or an object without a computable context. */
export interface Denial {
  readonly atMs: number;
  /** Event of the kernel's log. */
  readonly event: string;
  readonly source: string;
  readonly target: string;
  readonly targetClass: string;
  readonly permissions: readonly string[];
  /** False: only logged, because the kernel or the type is permissive. */
  readonly isEnforced: boolean;
  /** Operation without a valid context: `security_compute_sid`. No rule allows it. */
  readonly operation: string | undefined;
  readonly pid: number | undefined;
  readonly command: string | undefined;
  readonly object: DeniedObject;
}

/** Guest of libvirt, as libvirt reports it to the audit daemon. */
export interface AuditedMachine {
  readonly name: string;
  readonly uuid: string | undefined;
  readonly context: string;
}

/** Denials and guests in a log. */
export interface AuditLog {
  /** In the order of the log, each event once. */
  readonly denials: readonly Denial[];
  readonly machines: readonly AuditedMachine[];
  /** Whether older denials were dropped. */
  readonly isCut: boolean;
}

/** Maximum number of denials, paths or machines kept from one log. */
export const MOST_DENIALS = 10_000;

/**
 * Reads a log in bounded memory and ignores lines of other kinds. Keeps the latest denials since `sinceMs`.
 */
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
    denials: denials.values().map((denial) => addPath(denial, paths)),
    machines: machines.values(),
    isCut: denials.isCut,
  };
}

/**
 * Keeps the latest values, in the order of their keys' first appearance. It has two halves, because removing
 * the first key of a Map repeatedly is slow.
 */
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

  /** Whether some values were dropped. */
  get isCut(): boolean {
    return this.#isCut || this.#older.size + this.#newer.size > MOST_DENIALS;
  }
}

/**
 * Returns a key for a denial. The kernel's log and auditd's have the same event, and an event may have
 * several denials.
 */
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

/**
 * Records the path of a PATH line. auditd knows the path where the kernel only knows a name, and identifies
 * it by the inode.
 */
function notePath(paths: Latest<string>, { event, fields }: AuditLine): void {
  const [inode, name] = [fields.get("inode"), fields.get("name")];
  if (inode !== undefined && name?.startsWith("/") === true) paths.set(`${event} ${inode}`, name);
}

function addPath(denial: Denial, paths: Latest<string>): Denial {
  const { object } = denial;
  const path = object.path ?? paths.get(`${denial.event} ${object.inode ?? ""}`);
  return path === undefined ? denial : { ...denial, object: { ...object, path } };
}

function isContext(text: string | undefined): text is string {
  // parseContextOrUndefined() accepts a trailing NUL, as in an attribute. The kernel writes none into its
  // log.
  const context = text === undefined || text !== trimLabel(text) ? undefined : parseContextOrUndefined(text);
  return context !== undefined && (context.range === undefined || isRange(context.range));
}

function wordOf(text: string | undefined): string | undefined {
  return text !== undefined && /^\w{1,64}$/.test(text) ? text : undefined;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
