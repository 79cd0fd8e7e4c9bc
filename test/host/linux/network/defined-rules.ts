import { compileFilter } from "../../../../src/network/filter/compile-filter.ts";
import { parseFilterText } from "../../../../src/network/filter/document.ts";
import type { FrameFilter } from "../../../../src/network/filter/format-filter.ts";
import type { FindFilter } from "../../../../src/network/filter/instance.ts";
import { findBuiltIn } from "../../../../src/network/filter/instance.ts";
import { readFilter } from "../../../../src/network/filter/variables.ts";

/** Filters that drop frames with one header, by it; with match='no' those of the element that differ. */
export const HEADERS: readonly string[] = [
  "<mac match='no' srcmacaddr='$MAC'/>",
  "<mac dstmacaddr='01:00:00:00:00:00' dstmacmask='01:00:00:00:00:00'/>",
  "<mac protocolid='0x88b5'/>",
  "<arp match='no' arpsrcipaddr='$ONE'/>",
  "<arp match='no' arpsrcmacaddr='$MAC'/>",
  "<arp opcode='Request' arpdstipaddr='10.8.0.77' arpdstipmask='24' hwtype='1' protocoltype='0x800'/>",
  "<rarp opcode='Request_Reverse' arpdstmacaddr='$MAC'/>",
  "<ip match='no' srcipaddr='$ONE' srcipmask='29'/>",
  "<ip protocol='udp' srcportstart='60' srcportend='68' dstportstart='67' dscp='0'/>",
  "<ip match='no' protocol='udp'/>",
  "<ipv6 srcipaddr='fe80::' srcipmask='10' dstipaddr='ff02::1'/>",
  "<ipv6 protocol='udp' dstportstart='1' dstportend='65535'/>",
];

/** Filters that drop frames of both directions with one header, which is written for those to the guest. */
export const HEADERS_BOTH: readonly string[] = [
  "<mac srcmacaddr='52:54:00:00:00:aa'/>",
  "<mac dstmacaddr='$MAC'/>",
  "<arp arpsrcipaddr='10.8.0.2'/>",
  "<ip srcipaddr='10.8.0.2'/>",
  "<ip protocol='udp' srcportstart='67'/>",
  "<ipv6 dstipaddr='fe80::1'/>",
];

/** Finds libvirt's filters, and one that drops what a header of HEADERS or HEADERS_BOTH matches. */
const findAny: FindFilter = (name) => {
  if (!isDefined(name)) return findBuiltIn(name);
  const direction = HEADERS.includes(name) ? "out" : "inout";
  return compileFilter(
    parseFilterText(`<filter name='f'><rule action='drop' direction='${direction}'>${name}</rule></filter>`),
  );
};

function isDefined(name: string): boolean {
  return HEADERS.includes(name) || HEADERS_BOTH.includes(name);
}

/** Returns a filter of a tap, as the rules of nft need it. */
export function filterOf(reference: Parameters<typeof readFilter>[0], tap: string): FrameFilter {
  const { filters, rules, variables } = readFilter(
    reference,
    { mac: "52:54:00:00:00:01", place: "/interface" },
    findAny,
  );
  const { filter } = reference;
  return { tap, filter, variables, ...(isDefined(filter) ? { defined: { filters, rules } } : {}) };
}
