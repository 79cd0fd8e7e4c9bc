import type { Disk } from "../domain/disk.ts";
import { keyValues, type Words } from "./words.ts";

/** -chardev for the socket of the program that serves a disk of type vhostuser. */
export function formatVhostUserDisk(disk: Disk, id: string): Words {
  if (disk.type !== "vhostuser") return [];
  const { path, reconnect } = disk.source;
  return [
    "-chardev",
    `socket,${keyValues([
      ["id", `chr-vu-${id}`],
      ["path", path],
      ["reconnect-ms", reconnectMs(reconnect)],
    ])}`,
  ];
}

/** How long QEMU waits before it connects again; 0: it does not. */
export function reconnectMs(
  reconnect: { readonly enabled: boolean; readonly timeoutS?: number } | undefined,
): number | undefined {
  if (reconnect === undefined) return undefined;
  return reconnect.enabled ? (reconnect.timeoutS ?? 0) * 1000 : 0;
}
