import type { NetworkInterface } from "../domain/network-interface.ts";
import type { Node } from "./node.ts";

/** An interface and the addresses that it was seen with. */
export interface AddressedInterface {
  readonly interface: string;
  readonly mac: string;
  readonly addresses: readonly {
    readonly type: "ipv4";
    readonly address: string;
    /** 0: a neighbour's is not known. */
    readonly prefix: number;
  }[];
}

/** ATF_COM of linux/if_arp.h: the neighbour has answered. */
const IS_COMPLETE = 0x2;

/** What the host's table of neighbours has of these interfaces; none that it has nothing of. proc_net(5) arp */
export function listArpAddresses(
  { host }: Node,
  interfaces: readonly NetworkInterface[],
): AddressedInterface[] {
  const lines = (host.readText("/proc/net/arp") ?? "").split("\n").slice(1);
  const known = lines.flatMap((line) => {
    const [address = "", , flags = "0", mac = ""] = line.trim().split(/\s+/);
    return (Number(flags) & IS_COMPLETE) === 0 ? [] : [{ address, mac: mac.toLowerCase() }];
  });
  return interfaces.flatMap(({ mac, target }) => {
    const wanted = mac?.address.toLowerCase() ?? "";
    const addresses = known
      .filter((one) => one.mac === wanted)
      .map(({ address }) => ({ type: "ipv4" as const, address, prefix: 0 }));
    return addresses.length === 0 ? [] : [{ interface: target?.dev ?? "-", mac: wanted, addresses }];
  });
}
