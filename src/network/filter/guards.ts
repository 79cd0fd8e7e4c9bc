/** A rule of svirt with its place among the rules of a filter's root chain. */
export interface GuardRule {
  readonly priority: number;
  readonly text: string;
}

/** Rules of svirt for frames from a guest, and the chains to which they lead. */
export interface Guards {
  readonly rules: readonly GuardRule[];
  readonly chains: readonly string[];
}

/**
 * Directly before libvirt's chain `mac`, the first chain. A rule of a defined filter with a lower priority
 * precedes them.
 */
const PRIORITY = -801;
const CHAIN = "out-dhcp";
/** Filters of a guest that is no server of its network. */
const OF_CLIENTS = ["clean-traffic", "clean-traffic-gateway"];

/**
 * Returns svirt's rules for a tap with libvirt's filters of these names, which libvirt does not have.
 *
 * - no-mac-spoofing: the hardware address in a DHCP request is the guest's, with its type and length
 *   (Ethernet, 6 bytes). A server keeps a
 *   lease for each address there, so a guest could take them all. RFC 2131, figure 1
 * - clean-traffic, clean-traffic-gateway: no frames to DHCP clients. An offer of the guest's own would be as
 *   good as the server's.
 * - qemu-announce-self: no frames with the protocol number that libvirt accepts from a QEMU of 2010 with any
 *   content.
 *
 * `macs` are the guest's addresses as numbers. Ports of a fragmented datagram are in its first fragment, as
 * is the whole check: a shorter one is dropped.
 */
export function guardsOf(filters: readonly string[], macs: readonly string[]): Guards {
  const isFixed = filters.includes("no-mac-spoofing") && macs.length > 0;
  const texts = [
    ...(filters.includes("qemu-announce-self") ? ["@ll,96,16 0x0835 counter drop"] : []),
    ...(filters.some((name) => OF_CLIENTS.includes(name)) ? ["udp dport 68 counter drop"] : []),
    ...(isFixed ? [`udp dport 67 jump ${CHAIN}`] : []),
  ];
  // Places in bits behind the header of UDP: the message begins at 64.
  const address = `@th,72,16 0x0106 @th,288,48 ${macs.length === 1 ? macs[0] : `{ ${macs.join(", ")} }`}`;
  return {
    rules: texts.map((text) => ({ priority: PRIORITY, text })),
    chains: isFixed ? [`chain ${CHAIN} {`, `  ${address} return`, "  counter drop", "}"] : [],
  };
}
