/** Ethernet frames as hexadecimal text, which hosts and attackers send. */

/** linux/if_ether.h */
export const TYPES = { ipv4: "0800", arp: "0806", vlan: "8100", rarp: "8035", ipv6: "86dd" } as const;
const SHORTEST_BYTES = 60;

/** Ends of a frame: MAC addresses as hexadecimal text. */
export interface Ends {
  readonly from: string;
  readonly to: string;
}

/** Returns a frame with a payload of zeros up to the shortest length. */
export function frame({ from, to }: Ends, type: string, payload: string): Buffer {
  const bytes = Buffer.from(`${to}${from}${type}${payload}`, "hex");
  return Buffer.concat([bytes, Buffer.alloc(Math.max(0, SHORTEST_BYTES - bytes.length))]);
}

/**
 * Returns the payload of an ARP or RARP message for Ethernet and IPv4, or with another type of hardware or
 * other lengths. RFC 826
 */
export function arp(message: {
  readonly operation: number;
  readonly sender: readonly [mac: string, ip: string];
  readonly target: readonly [mac: string, ip: string];
  readonly lengths?: string;
  /** ARPHRD_ETHER, or ARPHRD_IEEE802 `0006`. linux/if_arp.h */
  readonly hardware?: string;
}): string {
  const { hardware = "0001", lengths = "0604", operation, sender, target } = message;
  const [senderMac, senderIp] = sender;
  const [targetMac, targetIp] = target;
  return `${hardware}0800${lengths}${number(operation, 2)}${senderMac}${ipNumber(senderIp)}${targetMac}${ipNumber(targetIp)}`;
}

/**
 * Returns an IPv4 packet with a UDP datagram, whose content is hexadecimal text; or with its first fragment
 * of 8 bytes. RFC 791, RFC 768
 */
export function udp(
  from: string,
  to: string,
  {
    content = "",
    ports: [source, destination] = [7, 7],
    isFragment = false,
  }: {
    readonly content?: string;
    readonly ports?: readonly [number, number];
    readonly isFragment?: boolean;
  } = {},
): string {
  const datagram = `${number(source, 2)}${number(destination, 2)}${number(8 + content.length / 2, 2)}0000${content}`;
  const data = isFragment ? datagram.slice(0, 16) : datagram;
  const before = `4500${number(20 + data.length / 2, 2)}0001${isFragment ? "2000" : "0000"}4011`;
  const after = `${ipNumber(from)}${ipNumber(to)}`;
  const sum = checksum(Buffer.from(`${before}${after}`, "hex"));
  return `${before}${number(sum, 2)}${after}${data}`;
}

/**
 * Returns a BOOTP message of a client with an Ethernet address, or with another type or length of it. RFC 951
 */
export function dhcp(mac: string, typeAndLength = "0106"): string {
  return `01${typeAndLength}00${"00".repeat(24)}${mac}${"00".repeat(10)}`;
}

/** Returns an IPv6 packet without a next header. RFC 8200 */
export function ipv6(from: string, to: string): string {
  return `6000000000003b40${from}${to}`;
}

function ipNumber(address: string): string {
  return address
    .split(".")
    .map((byte) => number(Number(byte), 1))
    .join("");
}

function number(value: number, bytes: number): string {
  return value.toString(16).padStart(bytes * 2, "0");
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
