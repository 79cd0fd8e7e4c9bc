import { absolutePath } from "../../domain/forms/text.ts";
import { matching, type ValueForm } from "../../xml/value-form.ts";
import { canonicalAddress, familyOf } from "../address/ip-address.ts";

/** IP address; written in its canonical text. */
export const ipAddress: ValueForm<string> = {
  expects: "an IP address",
  decode: canonicalAddress,
  encode: (text) => text,
};

/** IPv4 address or netmask. */
export const ipv4Address: ValueForm<string> = {
  expects: "an IPv4 address",
  decode(text) {
    const address = canonicalAddress(text);
    return address !== undefined && familyOf(address) === "ipv4" ? address : undefined;
  },
  encode: (text) => text,
};

/** Name in the DNS. It becomes a part of a line of dnsmasq's configuration: no comma, slash or blank. */
export const dnsName = matching(/^[A-Za-z0-9._-]{1,255}$/, "a name of letters, digits and . _ -");

/**
 * Text undivided by dnsmasq: a comma ends a field, a quote hides a comma, and a blank with `#` begins a
 * comment.
 */
const FIELD = /^(?:(?!\s#)[^,"\p{Cc}])*$/u;

/** Folder whose files dnsmasq serves. A device follows a comma. dnsmasq(8), --tftp-root */
export const tftpRoot: ValueForm<string> = {
  expects: `${absolutePath.expects}, and without , " and control characters`,
  decode: (text) => (FIELD.test(text) ? absolutePath.decode(text) : undefined),
  encode: absolutePath.encode,
};

/** Name of the file that guests boot. Tags precede it, and a server follows it. dnsmasq(8), --dhcp-boot */
export const bootFile = matching(
  /^(?!tag:|net:)(?:(?!\s#)[^,"\p{Cc}]){0,4096}$/u,
  'a file in one line, without , " and "tag:" at its beginning',
);

/** Name of a text record, a field. */
export const txtName = matching(/^[^\s,"\p{Cc}]{1,255}$/u, 'a name without , " and blanks');

/**
 * Value of a text record: strings between commas. A quoted string may contain commas, and quotes after a
 * backslash; dnsmasq does not start with an open quote. read_file() of dnsmasq
 */
export const txtValue = matching(
  /^(?=[^\p{Cc}]{0,4096}$)(?:"(?:[^"\\]|\\.)*"|(?<!\s)#|[^"#])*$/u,
  "one line of text with its quotes in pairs, and no # after a blank",
);

/**
 * Name of a host that asks for an address. It stands between commas in dnsmasq's file, where a colon makes it
 * another field (`set:`, `tag:`, `id:`), as do some words, a time and an address; a quote hides a comma.
 * dnsmasq(8), --dhcp-host
 */
export const dhcpHostName = matching(
  /^(?!(?:ignore|infinite|\d+[a-zA-Z]?|[\d.]+)$)[A-Za-z0-9][^\s,:#"\\\p{Cc}]{0,254}$/u,
  "a host's name that begins with a letter or digit, without blanks and , : # \" \\, and not a time, an address, ignore or infinite",
);

/** Zone of firewalld. */
export const zoneName = matching(/^[A-Za-z0-9_-]{1,64}$/, "a zone's name of letters, digits and _ -");

/** Unicast MAC address as a DHCP host is written: libvirt keeps its case. */
export const hostMac = matching(
  /^[0-9a-fA-F][02468aceACE](?::[0-9a-fA-F]{2}){5}$/,
  "a unicast MAC address, 52:54:00:12:34:56",
);

/** DHCP unique identifier of an IPv6 host. RFC 8415, 11 */
export const duid = matching(/^[0-9a-fA-F:]{2,392}$/, "hexadecimal digits and colons");

/** Name of a service in an SRV record. virNetworkDNSSrvDefParseXML() of libvirt */
export const serviceName = matching(
  /^[A-Za-z0-9_+/*-]{1,482}$/,
  "a service of letters, digits and _ - + / *",
);

/** Name of a protocol in an SRV record. */
export const protocolName = matching(/^[A-Za-z0-9+/-]{1,64}$/, "a protocol of letters, digits and - + /");
