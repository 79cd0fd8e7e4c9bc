import { integer, matching, type ValueForm } from "../../xml/value-form.ts";
import { canonicalAddress, type Family, familyOf, numberOf } from "../address/ip-address.ts";

/** A variable, as it stands in place of an address. Elements of lists and iterators are not implemented. */
const VARIABLE = /^\$[A-Za-z0-9_]{1,64}$/;

/** Name of a filter. */
export const filterName = matching(
  /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}$/,
  "a name of letters, digits and _ . + -, at most 128 characters",
);

/**
 * Chain of a filter, without chains of the protocols vlan and stp. libvirt also allows `.` and `:`, unknown
 * to nft.
 */
export const chainName = matching(
  /^(?:root|(?:mac|arp)[a-zA-Z0-9_-]{0,9}|(?:rarp|ipv4|ipv6)[a-zA-Z0-9_-]{0,8})$/,
  "root, or a name of at most 12 letters, digits and _ - that begins with mac, ipv4, ipv6, arp or rarp",
);

/** Number of an IP protocol, by libvirt's names. ipProtoMap of nwfilter_conf.c of libvirt */
export const IP_PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["tcp", 6],
  ["udp", 17],
  ["udplite", 136],
  ["esp", 50],
  ["ah", 51],
  ["icmp", 1],
  ["icmpv6", 58],
  ["igmp", 2],
  ["sctp", 132],
]);

/** Protocols of frames by libvirt's names, but for VLANs. macProtoMap of nwfilter_conf.c of libvirt */
const FRAME_PROTOCOLS: readonly string[] = ["arp", "rarp", "ipv4", "ipv6"];

/** Operations of ARP, whose numbers begin with 1. arpOpcodeMap of nwfilter_conf.c of libvirt */
export const ARP_OPERATIONS: readonly string[] = [
  ...["Request", "Reply", "Request_Reverse", "Reply_Reverse", "DRARP_Request", "DRARP_Reply"],
  ...["DRARP_Error", "InARP_Request", "ARP_NAK"],
];

/** A MAC address or a variable. */
export const macOrVariable = orVariable("a MAC address", readMac);
/** Mask of a MAC address. */
export const macMask: ValueForm<string> = {
  expects: "a mask such as ff:ff:ff:00:00:00",
  decode: readMac,
  encode: same,
};
export const ipv4OrVariable = orVariable("an IPv4 address", (text) => readAddress(text, "ipv4"));
export const ipv6OrVariable = orVariable("an IPv6 address", (text) => readAddress(text, "ipv6"));

/** Length of the prefix that a mask leaves: `24`, read also as `255.255.255.0`. */
export const ipv4Mask = maskForm("ipv4", 32);
export const ipv6Mask = maskForm("ipv6", 128);

export const port = integer(0, 65_535);
export const dscp = integer(0, 63);

/** Name of a protocol of frames, or its number. Numbers below 0x600 are lengths of frames. */
export const frameProtocol = nameOrNumber(FRAME_PROTOCOLS, { least: 0x600, most: 0xffff });
export const ipProtocol = nameOrNumber([...IP_PROTOCOLS.keys()], { least: 0, most: 255 });
export const arpOperation = nameOrNumber(ARP_OPERATIONS, { least: 0, most: 0xffff });
export const number16 = nameOrNumber([], { least: 0, most: 0xffff });

function orVariable(what: string, read: (text: string) => string | undefined): ValueForm<string> {
  return {
    expects: `${what}, or a variable such as $NAME`,
    decode: (text) => (VARIABLE.test(text) ? text : read(text)),
    encode: same,
  };
}

function readMac(text: string): string | undefined {
  return /^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$/.test(text) ? text.toLowerCase() : undefined;
}

function readAddress(text: string, family: Family): string | undefined {
  const address = canonicalAddress(text);
  return address !== undefined && familyOf(address) === family ? address : undefined;
}

function maskForm(family: Family, bits: number): ValueForm<number> {
  return {
    expects: `the length of a prefix from 0 to ${bits}, or a mask without gaps`,
    decode(text) {
      if (/^[0-9]{1,3}$/.test(text)) return Number(text) <= bits ? Number(text) : undefined;
      const mask = readAddress(text, family);
      if (mask === undefined) return undefined;
      const ones = numberOf(mask).toString(2).padStart(bits, "0");
      return /^1*0*$/.test(ones) ? ones.replaceAll("0", "").length : undefined;
    },
    encode: String,
  };
}

/**
 * Names are kept as names, numbers as decimal or hexadecimal text without leading zeros, which nft would read
 * as octal.
 */
function nameOrNumber(
  names: readonly string[],
  { least, most }: { readonly least: number; readonly most: number },
): ValueForm<string> {
  const numbers = `a number from ${least} to ${most}`;
  return {
    expects: names.length === 0 ? numbers : `one of ${names.join(", ")}, or ${numbers}`,
    decode(text) {
      if (names.includes(text)) return text;
      const isNumber = /^(?:0x[0-9a-fA-F]{1,4}|[0-9]{1,5})$/.test(text);
      return isNumber && Number(text) >= least && Number(text) <= most ? canonicalNumber(text) : undefined;
    },
    encode: same,
  };
}

function canonicalNumber(text: string): string {
  return text.startsWith("0x") ? `0x${Number(text).toString(16)}` : String(Number(text));
}

function same(text: string): string {
  return text;
}
