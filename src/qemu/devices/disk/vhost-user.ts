import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { keyValues, type Words } from "../../argument/argument.ts";
import { reconnectMs } from "../../argument/reconnect-ms.ts";
import { type Launch, peerPair } from "../../launch.ts";

/** -chardev for the socket of a vhost-user disk's server. */
export function formatVhostUserDisk(
  disk: Disk,
  { id, launch, place }: { readonly id: string; readonly place: string; readonly launch: Launch | undefined },
): Words {
  if (disk.type !== "vhostuser") return [];
  const { path, reconnect } = disk.source;
  return [
    "-chardev",
    `socket,${keyValues([
      ["id", `chr-vu-${id}`],
      peerPair(launch, { place, path }),
      ["reconnect-ms", reconnectMs(reconnect)],
    ])}`,
  ];
}
