import { portOptions } from "../../domain/devices/network/options.ts";
import { domainName, macAddress, objectName, oneLine, uuid } from "../../domain/forms/text.ts";
import { checked, dropped, element, paired, rewritten, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, kept, required, textOf } from "../../xml/field.ts";
import { anyText, integer, matching, yesNo } from "../../xml/value-form.ts";
import { type Bridge, bridge } from "./bridge.ts";
import { type Dns, dns } from "./dns.ts";
import { forward } from "./forward.ts";
import { ip, route } from "./ip.ts";
import { networkBandwidth, networkVirtualport, networkVlan } from "./link-settings.ts";
import { hasOwnBridge, refuseOtherMode } from "./mode-rules.ts";
import { refusePart } from "./refuse-part.ts";
import { dnsName } from "./text.ts";

const mtu = element("mtu", () => ({ size: required(attribute("size", integer(1, 65535))) }));
const mac = element("mac", () => ({ address: required(attribute("address", macAddress)) }));

const domain = element("domain", () => ({
  name: required(attribute("name", dnsName)),
  localOnly: attribute("localOnly", yesNo),
  register: attribute("register", yesNo),
}));

const writtenGroup = element("portgroup", () => ({
  name: required(attribute("name", objectName)),
  default: attribute("default", yesNo),
  trustGuestRxFilters: attribute("trustGuestRxFilters", yesNo),
  vlan: child(networkVlan),
  virtualport: child(networkVirtualport),
  bandwidth: child(networkBandwidth),
}));
/** `<portgroup>`, https://libvirt.org/formatnetwork.html#portgroups */
export const portgroup = paired(
  rewritten(
    writtenGroup,
    ({ default: isDefault, ...value }): Portgroup => ({
      ...value,
      ...(isDefault === true ? { default: true } : {}),
    }),
  ),
);

/** Settings for the interfaces of guests in the group. */
export type Portgroup = ValueOf<typeof writtenGroup>;

const option = element("dnsmasq:option", () => ({
  value: required(attribute("value", matching(/^[^\p{Cc}]{1,4096}$/u, "an option in one line"))),
}));

const typedVirtualport = checked(networkVirtualport, ({ type }, node) => {
  if (type === undefined) refusePart(node, "@type", { why: "it is missing", remedy: "Write type there." });
});

const written = element(
  "network",
  () => ({
    ipv6: attribute("ipv6", yesNo),
    trustGuestRxFilters: attribute("trustGuestRxFilters", yesNo),
    name: required(textOf("name", domainName)),
    uuid: textOf("uuid", uuid),
    title: textOf("title", oneLine),
    description: textOf("description", anyText),
    metadata: kept("metadata"),
    forward: child(forward),
    bridge: child(bridge),
    mtu: child(mtu),
    mac: child(mac),
    domain: child(domain),
    dns: child(dns),
    vlan: child(networkVlan),
    bandwidth: child(networkBandwidth),
    port: portOptions,
    ips: children(ip),
    routes: children(route),
    virtualport: child(typedVirtualport),
    portgroups: children(portgroup),
    dnsmasq: child(element("dnsmasq:options", () => ({ options: children(option) }))),
  }),
  [dropped("@connections", "a running network counts its guests there")],
);

type Written = ValueOf<typeof written>;

/** `<network>`, https://libvirt.org/formatnetwork.html, with libvirt's written defaults. */
export const network = rewritten(checked(written, refuseOtherMode), asKept);

/** Virtual network. */
export type Network = Written;

function asKept({
  bandwidth,
  bridge: own,
  dns: services,
  dnsmasq,
  forward: way,
  ...value
}: Written): Written {
  const { ipv6, port, ...rest } = value;
  const forwards = way === undefined || way.mode === "none" ? {} : { forward: way };
  const link = keptBridge(own, hasOwnBridge(forwards));
  return {
    ...rest,
    ...(ipv6 === true ? { ipv6 } : {}),
    ...forwards,
    ...(link === undefined ? {} : { bridge: link }),
    ...(services === undefined || isUseless(services) ? {} : { dns: services }),
    ...(bandwidth?.inbound === undefined && bandwidth?.outbound === undefined ? {} : { bandwidth }),
    ...(port?.isolated === undefined ? {} : { port }),
    ...(dnsmasq === undefined || dnsmasq.options.length === 0 ? {} : { dnsmasq }),
  };
}

/** The spanning tree protocol is on by default. virNetworkDefFormatBuf() of libvirt */
function keptBridge(found: Bridge | undefined, isOwn: boolean): Bridge | undefined {
  const { name, zone, stp = true, delay = 0, macTableManager } = found ?? {};
  const named = { ...(name === undefined ? {} : { name }), ...(zone === undefined ? {} : { zone }) };
  const managed = macTableManager === undefined ? {} : { macTableManager };
  if (isOwn) return { ...named, stp, delay, ...managed };
  return name === undefined && macTableManager === undefined ? undefined : { ...named, ...managed };
}

function isUseless({ enable, forwardPlainNames, forwarders, hosts, srvs, txts }: Dns): boolean {
  if (enable !== undefined || forwardPlainNames !== undefined) return false;
  return [forwarders, txts, srvs, hosts].every((records) => records.length === 0);
}
