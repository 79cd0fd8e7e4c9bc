import type { Host, ProcessId } from "../../host/host.ts";
import type { FileId } from "../../plan/facts/file.ts";

/** The process that holds a lock, as the kernel tells; undefined when nobody does. proc_locks(5) */
export function getLockHolder(host: Host, path: string): ProcessId | undefined {
  const file = host.inspectFile(path)?.id;
  if (file === undefined) return undefined;
  const pid = parseLockHolder(host.readText("/proc/locks") ?? "", file);
  return pid === undefined ? undefined : host.getProcess(pid);
}

/** Who holds the flock(2) of a file, by what /proc/locks says: `1: FLOCK ADVISORY WRITE 123 00:1a:5678 0 EOF`. */
export function parseLockHolder(text: string, { device, inode }: FileId): number | undefined {
  const wanted = `${device} ${inode}`;
  for (const line of text.split("\n")) {
    const match = /^\d+: FLOCK +ADVISORY +WRITE (\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /.exec(line);
    const [, pid, major = "", minor = "", number] = match ?? [];
    const found = `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)} ${number}`;
    if (found === wanted && Number(pid) > 0) return Number(pid);
  }
  return undefined;
}
