import { checked, element, rewritten, type ValueOf } from "../../xml/element.ts";
import { attribute, children, content, required } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { integer, yesNo } from "../../xml/value-form.ts";
import { refusePart } from "./refuse-part.ts";
import { dnsName, ipAddress, protocolName, serviceName, txtName, txtValue } from "./text.ts";

const short = integer(0, 65535);

const forwarder = checked(
  element("forwarder", () => ({
    domain: attribute("domain", dnsName),
    addr: attribute("addr", ipAddress),
  })),
  ({ addr, domain }, node) => {
    if (addr !== undefined || domain !== undefined) return;
    refusePart(node, "@addr", {
      why: "it is missing, and so is domain",
      remedy: "Write addr or domain there.",
    });
  },
);

const recordName = required(attribute("name", txtName));

/** `<txt>`: a text record. virNetworkDNSTxtDefParseXML() of libvirt */
export const txt = element("txt", () => ({
  name: recordName,
  value: required(attribute("value", txtValue)),
}));
/** `<txt>` naming a record to change or remove. */
export const txtSearch = element("txt", () => ({ name: recordName, value: attribute("value", txtValue) }));

const srvTarget = () => ({
  domain: attribute("domain", dnsName),
  target: attribute("target", dnsName),
  port: attribute("port", integer(1, 65535)),
  priority: attribute("priority", short),
  weight: attribute("weight", short),
});
const writtenSrv = element("srv", () => ({
  service: required(attribute("service", serviceName)),
  protocol: required(attribute("protocol", protocolName)),
  ...srvTarget(),
}));
type Srv = ValueOf<typeof writtenSrv>;

/**
 * `<srv>`: a service record. libvirt does not write a priority or weight of 0, which is the default. RFC
 * 2782, virNetworkDNSSrvDefParseXML() of libvirt
 */
export const srv = rewritten(
  checked(writtenSrv, refuseUntargeted),
  ({ priority = 0, weight = 0, ...value }): Srv => ({
    ...value,
    ...(priority === 0 ? {} : { priority }),
    ...(weight === 0 ? {} : { weight }),
  }),
);

/** `<srv>` naming records to remove: records with each of its attributes. */
export const srvSearch = checked(
  element("srv", () => ({
    service: attribute("service", serviceName),
    protocol: attribute("protocol", protocolName),
    ...srvTarget(),
  })),
  refuseUntargeted,
);

const hostNames = children(element("hostname", () => ({ name: required(content(dnsName)) })));

/** `<host>`: names of an address. virNetworkDNSHostDefParseXML() of libvirt */
export const host = checked(
  element("host", () => ({ ip: required(attribute("ip", ipAddress)), names: hostNames })),
  ({ names }, node) => {
    if (names.length > 0) return;
    refusePart(node, "hostname", { why: "it is missing", remedy: "Write <hostname>…</hostname>." });
  },
);

/** `<host>` naming records to change or remove. */
export const hostSearch = checked(
  element("host", () => ({ ip: attribute("ip", ipAddress), names: hostNames })),
  ({ ip, names }, node) => {
    if (ip !== undefined || names.length > 0) return;
    refusePart(node, "@ip", { why: "it is missing, and so is hostname", remedy: "Write ip or <hostname>." });
  },
);

const written = element("dns", () => ({
  enable: attribute("enable", yesNo),
  forwardPlainNames: attribute("forwardPlainNames", yesNo),
  forwarders: children(forwarder),
  txts: children(txt),
  srvs: children(srv),
  hosts: children(host),
}));

/** `<dns>`, https://libvirt.org/formatnetwork.html#network-services. virNetworkDNSDefParseXML() of libvirt */
export const dns = checked(written, refuseUseless);

/** Settings of a network's DNS server. */
export type Dns = ValueOf<typeof written>;

function refuseUntargeted(value: Pick<Srv, "target" | "port" | "priority" | "weight">, node: XmlNode): void {
  if (value.target !== undefined) return;
  const name = (["port", "priority", "weight"] as const).find((key) => value[key] !== undefined);
  if (name === undefined) return;
  refusePart(node, `@${name}`, {
    why: "there is no target",
    remedy: `Write target, or leave ${name} out.`,
  });
}

function refuseUseless(value: Dns, node: XmlNode): void {
  if (value.enable !== false) return;
  const used = [
    ["forwarder", value.forwarders],
    ["txt", value.txts],
    ["srv", value.srvs],
    ["host", value.hosts],
  ] as const;
  const [place] = used.find(([, records]) => records.length > 0) ?? [];
  if (place === undefined) return;
  refusePart(node, place, {
    why: "enable='no' leaves the network without a DNS server",
    remedy: `Leave <${place}> out, or write enable='yes'.`,
  });
}
