import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host.ts";

/** Where auditd writes, unless auditd.conf says otherwise. */
const AUDIT_LOG = "/var/log/audit/audit.log";
/** Of a longer log the end is read: the kernel's own holds far less. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * The lines of a file, `-` for standard input, or of what the host has: auditd's log and the kernel's, where a denial is
 * told if no auditd runs. Throws "not-found", "host-call" or "unsupported" for the file, "denied" when the host's are
 * not readable.
 */
export function readLogs(host: Host, file: string | undefined): string[] {
  if (file !== undefined) return linesOf(readWhole(host, file));
  const [audit, kernel] = [readAuditLog(host), host.readKernelLog()];
  if (audit !== undefined || kernel !== undefined) return [...(audit ?? []), ...(kernel ?? [])];
  throw new SvirtError(
    "Cannot read what the kernel has denied: neither /dev/kmsg nor auditd's log is readable",
    {
      kind: "denied",
      remedy: "Run svirt as root, or give it the lines: dmesg | svirt explain --file -",
    },
  );
}

function readWhole(host: Host, file: string): Uint8Array {
  const bytes = host.readInput(file, MOST_BYTES);
  if (bytes.length <= MOST_BYTES) return bytes;
  throw new SvirtError(`Cannot read ${file}: it is larger than 64 MiB`, {
    kind: "unsupported",
    remedy: "Give its end on standard input: tail -c 64M FILE | svirt explain --file -",
  });
}

function readAuditLog(host: Host): string[] | undefined {
  try {
    const facts = host.inspectFile(AUDIT_LOG);
    if (facts?.type !== "file") return undefined;
    const start = Math.max(0, facts.sizeBytes - MOST_BYTES);
    return linesOf(host.readBytes(facts.id, start, facts.sizeBytes - start));
  } catch {
    return undefined;
  }
}

function linesOf(bytes: Uint8Array): string[] {
  return new TextDecoder().decode(bytes).split("\n");
}
