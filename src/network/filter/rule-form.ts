import { checked, element, refused, type ValueOf } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, matching, oneOf, yesNo } from "../../xml/value-form.ts";
import {
  arpOperation,
  dscp,
  frameProtocol,
  ipProtocol,
  ipv4Mask,
  ipv4OrVariable,
  ipv6Mask,
  ipv6OrVariable,
  macMask,
  macOrVariable,
  number16,
  port,
} from "./value-forms.ts";

/** Protocols with ports. */
const WITH_PORTS: ReadonlySet<string | undefined> = new Set(["tcp", "udp", "udplite", "sctp"]);

const comment = matching(/^[^\p{Cc}]{0,256}$/u, "one line of text, at most 256 characters");
/** Place of a rule or of a chain. MIN_RULE_PRIORITY and MAX_RULE_PRIORITY of libvirt's nwfilter_conf.h */
export const priority = integer(-1000, 1000);

const common = {
  match: attribute("match", yesNo),
  srcmacaddr: attribute("srcmacaddr", macOrVariable),
  srcmacmask: attribute("srcmacmask", macMask),
  dstmacaddr: attribute("dstmacaddr", macOrVariable),
  dstmacmask: attribute("dstmacmask", macMask),
};
const ports = {
  srcportstart: attribute("srcportstart", port),
  srcportend: attribute("srcportend", port),
  dstportstart: attribute("dstportstart", port),
  dstportend: attribute("dstportend", port),
};

const mac = checkMasks(
  element("mac", () => ({
    ...common,
    protocolid: attribute("protocolid", frameProtocol),
    comment: attribute("comment", comment),
  })),
);

const arpFields = {
  ...common,
  hwtype: attribute("hwtype", number16),
  protocoltype: attribute("protocoltype", number16),
  opcode: attribute("opcode", arpOperation),
  arpsrcmacaddr: attribute("arpsrcmacaddr", macOrVariable),
  arpdstmacaddr: attribute("arpdstmacaddr", macOrVariable),
  arpsrcipaddr: attribute("arpsrcipaddr", ipv4OrVariable),
  arpsrcipmask: attribute("arpsrcipmask", ipv4Mask),
  arpdstipaddr: attribute("arpdstipaddr", ipv4OrVariable),
  arpdstipmask: attribute("arpdstipmask", ipv4Mask),
  comment: attribute("comment", comment),
};
const noGratuitous = [refused("@gratuitous", "svirt does not compare the two addresses of a frame")];
const arp = checkMasks(element("arp", () => arpFields, noGratuitous));
const rarp = checkMasks(element("rarp", () => arpFields, noGratuitous));

const ip = checkMasks(
  checkPorts(
    element("ip", () => ({
      ...common,
      srcipaddr: attribute("srcipaddr", ipv4OrVariable),
      srcipmask: attribute("srcipmask", ipv4Mask),
      dstipaddr: attribute("dstipaddr", ipv4OrVariable),
      dstipmask: attribute("dstipmask", ipv4Mask),
      protocol: attribute("protocol", ipProtocol),
      ...ports,
      dscp: attribute("dscp", dscp),
      comment: attribute("comment", comment),
    })),
  ),
);

const ipv6 = checkMasks(
  checkPorts(
    element(
      "ipv6",
      () => ({
        ...common,
        srcipaddr: attribute("srcipaddr", ipv6OrVariable),
        srcipmask: attribute("srcipmask", ipv6Mask),
        dstipaddr: attribute("dstipaddr", ipv6OrVariable),
        dstipmask: attribute("dstipmask", ipv6Mask),
        protocol: attribute("protocol", ipProtocol),
        ...ports,
        comment: attribute("comment", comment),
      }),
      ["@type", "@typeend", "@code", "@codeend"].map((place) =>
        refused(place, "svirt does not compare the type of an ICMP message"),
      ),
    ),
  ),
);

/**
 * Elements of libvirt without a translation in svirt: elements with connection tracking, as in iptables, and
 * others of frames.
 */
const BY_CONNECTION = ["tcp", "udp", "sctp", "icmp", "igmp", "all", "esp", "ah", "udplite"];
const REFUSED = [
  ...BY_CONNECTION.flatMap((name) => [name, name === "icmp" ? "icmpv6" : `${name}-ipv6`])
    .filter((name) => name !== "igmp-ipv6")
    .map((name) => refused(name, "svirt does not follow connections; <ip> and <ipv6> compare single frames")),
  ...["vlan", "stp"].map((name) => refused(name, `svirt does not compare the header of ${name}`)),
];

/** `<rule>` of a filter. https://libvirt.org/formatnwfilter.html#rules */
export const rule = checked(
  element(
    "rule",
    () => ({
      action: required(attribute("action", oneOf("accept", "drop", "reject", "return", "continue"))),
      direction: required(attribute("direction", oneOf("in", "out", "inout"))),
      priority: attribute("priority", priority),
      mac: child(mac),
      arp: child(arp),
      rarp: child(rarp),
      ip: child(ip),
      ipv6: child(ipv6),
    }),
    [...REFUSED, refused("@statematch", "svirt does not follow connections")],
  ),
  ({ arp: anArp, ip: anIp, ipv6: anIpv6, mac: aMac, rarp: aRarp }, node) => {
    if ([anArp, anIp, anIpv6, aMac, aRarp].filter((one) => one !== undefined).length < 2) return;
    throw notUnderstood({ node }, "a rule has one protocol", "Write a <rule> for each protocol.");
  },
);
export type WrittenRule = ValueOf<typeof rule>;

interface Masks {
  readonly [name: string]: unknown;
}

/** Refuses a mask without its address: libvirt would ignore it. */
function checkMasks<T extends Masks>(form: Parameters<typeof checked<T>>[0]): ReturnType<typeof checked<T>> {
  return checked(form, (value, node) => {
    for (const [name, mask] of Object.entries(value)) {
      const of = name.replace(/mask$/, "addr");
      if (of === name || mask === undefined || value[of] !== undefined) continue;
      throw notUnderstood({ node, place: `@${name}` }, `it needs ${of}`, `Write ${of}, or leave it out.`);
    }
  });
}

interface Ports {
  readonly protocol?: string;
  readonly srcportstart?: number;
  readonly srcportend?: number;
  readonly dstportstart?: number;
  readonly dstportend?: number;
}

/** Refuses ports of another protocol, the end of a range without its start, and one before it. */
function checkPorts<T extends Ports>(form: Parameters<typeof checked<T>>[0]): ReturnType<typeof checked<T>> {
  return checked(form, (value, node) => {
    refuseRange(node, "src", [value.srcportstart, value.srcportend]);
    refuseRange(node, "dst", [value.dstportstart, value.dstportend]);
    const name = value.srcportstart === undefined ? "dstportstart" : "srcportstart";
    if (value[name] === undefined || WITH_PORTS.has(value.protocol)) return;
    throw notUnderstood(
      { node, place: `@${name}` },
      "ports need the protocol tcp, udp, udplite or sctp",
      "Write it into the attribute protocol.",
    );
  });
}

function refuseRange(
  node: XmlNode,
  side: "src" | "dst",
  [start, end]: readonly [number | undefined, number | undefined],
): void {
  if (end === undefined || (start !== undefined && start <= end)) return;
  const why = start === undefined ? `it needs ${side}portstart` : `it is below ${side}portstart`;
  throw notUnderstood({ node, place: `@${side}portend` }, why, "Correct the range.");
}
