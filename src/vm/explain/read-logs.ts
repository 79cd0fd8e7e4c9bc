import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { LONGEST_LINE, SHORTEST_LINE } from "../../selinux/denials/audit-line.ts";

/** auditd's default; auditd.conf may name another. */
const AUDIT_LOG = "/var/log/audit/audit.log";
/** Only the end of a longer auditd log is read. The kernel's own log is far smaller. */
const MOST_BYTES = 64 * 1024 * 1024;
const LIMITS = { mostBytes: MOST_BYTES, shortest: SHORTEST_LINE, longest: LONGEST_LINE };

/**
 * Yields the lines of a file, `-` for standard input, or of the host's logs. These are auditd's and the
 * kernel's, which has denials if no auditd runs. Lines are read on demand. Throws "denied" when the host's
 * logs are not readable; iterating throws "not-found", "host-call", "usage" or "unsupported" for the file.
 */
export function readLogs(host: Host, file: string | undefined): Iterable<string> {
  if (file !== undefined) return host.readLines(file, { ...LIMITS, onMore: () => refuseLarge(file) });
  const [hasAudit, kernel] = [hasAuditLog(host), host.readKernelLog()];
  if (hasAudit || kernel !== undefined) return bothOf(host, hasAudit, kernel ?? []);
  throw new SvirtError("Cannot read the kernel's denials: neither /dev/kmsg nor auditd's log is readable", {
    kind: "denied",
    remedy: "Run svirt as root, or pass the lines on standard input: dmesg | svirt explain --file -",
  });
}

function refuseLarge(file: string): never {
  throw new SvirtError(`Cannot read ${file}: it is larger than 64 MiB`, {
    kind: "unsupported",
    remedy: "Pass its end on standard input: tail -c 64M FILE | svirt explain --file -",
  });
}

function* bothOf(host: Host, hasAudit: boolean, kernel: readonly string[]): Generator<string> {
  if (hasAudit) yield* host.readLines(AUDIT_LOG, { ...LIMITS, isEnd: true });
  yield* kernel;
}

/** Reports whether the log exists and svirt may read it. */
function hasAuditLog(host: Host): boolean {
  try {
    const facts = host.inspectFile(AUDIT_LOG);
    if (facts?.type !== "file") return false;
    host.readBytes(facts.id, 0, 1);
    return true;
  } catch {
    return false;
  }
}
