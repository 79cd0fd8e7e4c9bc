import type { Host } from "../../host/host.ts";
import type { PassedTap } from "../../plan/facts/tap.ts";
import { NETWORK_DEVICES } from "../../plan/paths.ts";

/** net/if.h */
const IFF_UP = 1;

/**
 * Reports whether any file of a tap is open: by a descriptor, in vhost-net or in a system call. A tap that svirt created
 * exists as long as one of its files is open, and a persistent tap has a carrier as long as one is. The policy lets no guest
 * make a tap persistent or set its carrier. drivers/net/tun.c __tun_detach() of Linux
 */
export function isOpenTap(host: Host, { isMade, name }: Pick<PassedTap, "isMade" | "name">): boolean {
  // An interface of that name that is not a tap has no such file.
  if (isMade) return host.readText(`${NETWORK_DEVICES}/${name}/tun_flags`) !== undefined;
  // The carrier of an interface that is down cannot be read, and no frame passes it.
  const flags = Number(host.readText(`${NETWORK_DEVICES}/${name}/flags`) ?? "0");
  return (flags & IFF_UP) !== 0 && host.readText(`${NETWORK_DEVICES}/${name}/carrier`)?.trim() === "1";
}
