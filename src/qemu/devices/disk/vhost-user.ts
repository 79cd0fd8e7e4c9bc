import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { type Arguments, keyValues } from "../../argument/argument.ts";
import { reconnectMs } from "../../argument/reconnect-ms.ts";
import { type Launch, peerOf, peerPair } from "../../launch.ts";

/** -chardev for the socket of a vhost-user disk's server. */
export function formatVhostUserDisk(
  disk: Disk,
  { id, launch, place }: { readonly id: string; readonly place: string; readonly launch: Launch | undefined },
): Arguments {
  if (disk.type !== "vhostuser") return [];
  const { path, reconnect } = disk.source;
  // QEMU refuses reconnect-ms together with a descriptor, even if it is 0. qmp_chardev_validate_socket() of
  // qemu.git chardev/char-socket.c
  const again = peerOf(launch, place) === undefined ? reconnectMs(reconnect) : undefined;
  return [
    "-chardev",
    `socket,${keyValues([
      ["id", `chr-vu-${id}`],
      peerPair(launch, { place, path }),
      ["reconnect-ms", again],
    ])}`,
  ];
}
