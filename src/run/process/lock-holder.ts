import type { Host } from "../../host/host.ts";
import type { ProcessId } from "../../host/processes.ts";
import type { FileId } from "../../plan/facts/file.ts";

/**
 * Returns the process that holds the lock of a file, according to the kernel; undefined if none does.
 * proc_locks(5)
 */
export function getLockHolder(host: Host, path: string): ProcessId | undefined {
  const file = host.inspectFile(path)?.id;
  if (file === undefined) return undefined;
  const pid = parseLockHolder(host.readText("/proc/locks") ?? "", file);
  return pid === undefined ? undefined : host.getProcess(pid);
}

/**
 * Returns the holder of a file's flock(2) from the text of /proc/locks:
 * `1: FLOCK ADVISORY WRITE 123 00:1a:5678 0 EOF`.
 */
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
