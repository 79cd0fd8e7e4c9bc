import { lineOfText } from "../../domain/forms/text.ts";
import { checked, element, rewritten, type ValueOf } from "../../xml/element.ts";
import { attribute, children, content, required } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { integer, matching, yesNo } from "../../xml/value-form.ts";
import { refusePart } from "./refuse-part.ts";
import { dnsName, ipAddress, protocolName, serviceName } from "./text.ts";

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

const txt = element("txt", () => ({
  name: required(attribute("name", matching(/^[^\s,\p{Cc}]{1,255}$/u, "a name without commas and blanks"))),
  value: required(attribute("value", lineOfText)),
}));

const writtenSrv = element("srv", () => ({
  service: required(attribute("service", serviceName)),
  protocol: required(attribute("protocol", protocolName)),
  domain: attribute("domain", dnsName),
  target: attribute("target", dnsName),
  port: attribute("port", integer(1, 65535)),
  priority: attribute("priority", short),
  weight: attribute("weight", short),
}));
type Srv = ValueOf<typeof writtenSrv>;

/** libvirt does not write a priority or weight of 0, which is the default. RFC 2782 */
const srv = rewritten(
  checked(writtenSrv, (value, node) => {
    if (value.target !== undefined) return;
    const name = (["port", "priority", "weight"] as const).find((key) => value[key] !== undefined);
    if (name === undefined) return;
    refusePart(node, `@${name}`, {
      why: "there is no target",
      remedy: `Write target, or leave ${name} out.`,
    });
  }),
  ({ priority = 0, weight = 0, ...value }): Srv => ({
    ...value,
    ...(priority === 0 ? {} : { priority }),
    ...(weight === 0 ? {} : { weight }),
  }),
);

const host = checked(
  element("host", () => ({
    ip: required(attribute("ip", ipAddress)),
    names: children(element("hostname", () => ({ name: required(content(dnsName)) }))),
  })),
  ({ names }, node) => {
    if (names.length > 0) return;
    refusePart(node, "hostname", { why: "it is missing", remedy: "Write <hostname>…</hostname>." });
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
