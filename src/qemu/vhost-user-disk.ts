import type { Disk } from "../domain/disk.ts";
import { reconnectMs } from "./reconnect-ms.ts";
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
