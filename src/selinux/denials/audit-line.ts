/**
 * A parsed line of the kernel's or auditd's log. Values are decoded and may contain any character of a file
 * name.
 */
export interface AuditLine {
  readonly type: "AVC" | "USER_AVC" | "SELINUX_ERR" | "PATH" | "VIRT_MACHINE_ID";
  /** Key shared by all lines of an event: `SECONDS.MILLISECONDS:SERIAL`. */
  readonly event: string;
  readonly atMs: number;
  /** Only in AVC lines. */
  readonly verdict: "denied" | "granted" | undefined;
  readonly permissions: readonly string[];
  readonly fields: ReadonlyMap<string, string>;
}

/** linux/audit.h; 2502 is of audit-records.h */
const TYPES: ReadonlyMap<string, AuditLine["type"]> = new Map([
  ["1107", "USER_AVC"],
  ["1302", "PATH"],
  ["1400", "AVC"],
  ["1401", "SELINUX_ERR"],
  ["2502", "VIRT_MACHINE_ID"],
  ["USER_AVC", "USER_AVC"],
  ["PATH", "PATH"],
  ["AVC", "AVC"],
  ["SELINUX_ERR", "SELINUX_ERR"],
  ["VIRT_MACHINE_ID", "VIRT_MACHINE_ID"],
]);

/**
 * Fields chosen by any user; so the kernel writes them quoted or in hexadecimal. linux kernel/audit.c
 * audit_log_untrustedstring()
 */
const UNTRUSTED: ReadonlySet<string> = new Set(["comm", "cwd", "dev", "exe", "name", "path", "vm"]);
/** Longest accepted line, in bytes. MAX_AUDIT_MESSAGE_LENGTH of libaudit.h is 8970. */
export const LONGEST_LINE = 16_384;
/** Shortest possible line with a time, a type and a message: `type=1 audit(1.000:1): `. */
export const SHORTEST_LINE = 24;
/**
 * Kernel lines of /dev/kmsg, dmesg(1) and a system log, with the message's priority in front if it is
 * recorded.
 */
const KERNEL_LINE =
  /^(?:(?:(\d+),\d+,\d+,[^;]*;)|<(\d+)>)?(?:[^[\]"={};]* kernel: )?(?:\[[^\]"={}]*\] )?(?:audit: )?type=(\d+) audit\((\d{1,12})\.(\d{3}):(\d{1,20})\): +(.*)$/;
const DAEMON_LINE = /^(?:node=\S+ )?type=(\w+) msg=audit\((\d{1,12})\.(\d{3}):(\d{1,20})\): +(.*)$/;
/** Precedes the fields added by auditd to the kernel's message. auditd.conf(5) log_format */
const GROUP_SEPARATOR = "\u001d";
const VERDICT = /^avc: +(denied|granted) +\{ ([\w ]*) \} for +(.*)$/;
const FIELD = /(?:^|[ ,])([a-z][a-z0-9_-]*)=("[^"]*"|\S*)/g;

/**
 * Parses a line about SELinux from the kernel, or from a program by way of auditd; undefined for any other
 * line.
 */
export function parseAuditLine(line: string): AuditLine | undefined {
  const found = line.length > LONGEST_LINE ? undefined : (parseKernelLine(line) ?? parseDaemonLine(line));
  const type = TYPES.get(found?.type ?? "");
  if (found === undefined || type === undefined) return undefined;
  return parseWords(found, type);
}

function parseWords({ atMs, event, words }: Head, type: AuditLine["type"]): AuditLine | undefined {
  const said = type === "USER_AVC" || type === "VIRT_MACHINE_ID" ? messageIn(words) : words;
  const [, verdict, permissions = "", rest = said] = VERDICT.exec(said) ?? [];
  if (verdict === undefined && type.endsWith("AVC")) return undefined;
  return {
    type,
    event,
    atMs,
    verdict: verdict === "denied" || verdict === "granted" ? verdict : undefined,
    permissions: permissions.split(" ").filter((word) => word !== ""),
    fields: parseFields(rest),
  };
}

interface Head {
  readonly type: string;
  readonly event: string;
  readonly atMs: number;
  readonly words: string;
}

/**
 * Parses a line of the kernel's log. A line written there by a program has another facility than 0, the
 * kernel's.
 */
function parseKernelLine(line: string): Head | undefined {
  const match = KERNEL_LINE.exec(line);
  if (match === null) return undefined;
  const [, priority, short, type, seconds, ms, serial, words] = match;
  if (Number(priority ?? short ?? "0") >> 3 !== 0) return undefined;
  return headOf([type, seconds, ms, serial, words]);
}

function parseDaemonLine(line: string): Head | undefined {
  const match = DAEMON_LINE.exec(line.split(GROUP_SEPARATOR, 1)[0] ?? "");
  return match === null ? undefined : headOf(match.slice(1));
}

function headOf([type = "", seconds, ms, serial, words = ""]: readonly (string | undefined)[]): Head {
  const atMs = Number(seconds) * 1000 + Number(ms);
  return { type, event: `${seconds}.${ms}:${serial}`, atMs, words };
}

/** Returns the quoted message of a program. */
function messageIn(words: string): string {
  return /\bmsg='([^']*)'/.exec(words)?.[1] ?? "";
}

/**
 * Parses the fields. The first field of a name counts, since the kernel's own precede a program's additions.
 */
function parseFields(words: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [, name = "", value = ""] of words.matchAll(FIELD)) {
    const text = decodeValue(name, value);
    if (text !== undefined && !fields.has(name)) fields.set(name, text);
  }
  return fields;
}

/** Decodes a value; undefined if the kernel marks it as absent. */
function decodeValue(name: string, value: string): string | undefined {
  if (value === "" || value === "(null)" || value === "?") return undefined;
  if (value.startsWith('"')) return value.replaceAll('"', "");
  return UNTRUSTED.has(name) && /^(?:[0-9A-F]{2})+$/.test(value) ? decodeHex(value) : value;
}

function decodeHex(digits: string): string {
  const bytes = Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16),
  );
  return new TextDecoder().decode(bytes);
}
