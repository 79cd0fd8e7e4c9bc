import { joined, record } from "../calls/byte-records.ts";
import { attribute, macBytes } from "./netlink.ts";

/** linux/rtnetlink.h */
export const RTM_NEWTFILTER = 44;
/** linux/pkt_cls.h */
export const TCA_U32_SEL = 5;
const TC_U32_TERMINAL = 1;
/** All protocols, in the order of the network: ETH_P_ALL. linux/if_ether.h */
const ALL_PROTOCOLS = 0x0300;
/** Last bytes of an address that a filter compares: all. */
const WHOLE = 0xff;

/** Returns the priority and the protocols of a filter for all frames, as in struct tcmsg. */
export function filterInfo(priority: number): number {
  return (priority << 16) | ALL_PROTOCOLS;
}

/**
 * Formats the selector of a filter of kind u32 for frames to an address: struct tc_u32_sel and its keys.
 * `lastMask`: bits of the last byte to be compared.
 */
export function addressSelector(mac: string, lastMask = WHOLE): Uint8Array {
  return attribute(TCA_U32_SEL, joined([formatSelector(), addressKeys(mac, lastMask)]));
}

/** Formats struct tc_u32_sel: flags, number of keys, and no offsets. */
function formatSelector(): Uint8Array {
  return record([8, TC_U32_TERMINAL], [8, 0], [8, 2], [8, 0], [32, 0], [32, 0], [32, 0]);
}

/**
 * Formats two of struct tc_u32_key: mask and value in the order of the network, place, and mask of a further
 * place. Places count from the header of the network protocol; Ethernet's destination is 14 bytes before it.
 */
export function addressKeys(mac: string, lastMask = WHOLE): Uint8Array {
  const bytes = macBytes(mac);
  return joined([
    Uint8Array.of(0xff, 0xff, 0xff, lastMask),
    bytes.subarray(2),
    record([32, -12], [32, 0]),
    Uint8Array.of(0, 0, 0xff, 0xff, 0, 0),
    bytes.subarray(0, 2),
    record([32, -16], [32, 0]),
  ]);
}
