import { choice } from "../../../xml/choice.ts";
import type { Exception } from "../../../xml/declaration.ts";
import { checked, element, refused } from "../../../xml/element.ts";
import { attribute, child, children, content, required } from "../../../xml/field.ts";
import type { XmlNode } from "../../../xml/node.ts";
import { notUnderstood } from "../../../xml/refusal.ts";
import { integer, oneOf, onOff, yesNo } from "../../../xml/value-form.ts";
import { absolutePath, objectName, uuid, word } from "../../forms/text.ts";
import { virtioOptions } from "../../forms/virtio-driver.ts";
import { deviceName } from "./source.ts";

const offloads = {
  csum: attribute("csum", onOff),
  gso: attribute("gso", onOff),
  tso4: attribute("tso4", onOff),
  tso6: attribute("tso6", onOff),
  ecn: attribute("ecn", onOff),
  ufo: attribute("ufo", onOff),
};
const { gso: _gso, ...guestOffloads } = offloads;
const queues = integer(1, 65535);

/** `<driver>` of an interface, https://libvirt.org/formatdomain.html#setting-nic-driver-specific-options */
const driver = element("driver", () => ({
  name: attribute("name", oneOf("qemu", "vhost")),
  txmode: attribute("txmode", oneOf("iothread", "timer")),
  ioeventfd: attribute("ioeventfd", onOff),
  eventIdx: attribute("event_idx", onOff),
  queues: attribute("queues", queues),
  rxQueueSize: attribute("rx_queue_size", queues),
  txQueueSize: attribute("tx_queue_size", queues),
  rss: attribute("rss", onOff),
  rssHashReport: attribute("rss_hash_report", onOff),
  ...virtioOptions,
  host: child(element("host", () => ({ ...offloads, mrgRxbuf: attribute("mrg_rxbuf", onOff) }))),
  guest: child(element("guest", () => guestOffloads)),
}));
export const interfaceDriver = child(driver);

const tag = element("tag", () => ({
  id: required(attribute("id", integer(0, 4095))),
  nativeMode: attribute("nativeMode", oneOf("tagged", "untagged")),
}));
/** `<vlan>`: the tags of an interface's traffic. virNetDevVlanParse() of libvirt */
export const vlan = checked(
  element("vlan", () => ({ trunk: attribute("trunk", yesNo), tags: children(tag) })),
  ({ tags, trunk }, node) => {
    const native = tags.filter(({ nativeMode }) => nativeMode !== undefined).length;
    const problems = [
      [tags.length === 0, "tag", "it is missing", "Write <tag id='…'/>."],
      [native > 1, "tag/@nativeMode", "only one tag may have it", "Leave nativeMode out of the other <tag>."],
      [
        trunk === false && tags.length + native > 1,
        "@trunk",
        "several tags, or a native one, require trunk='yes'",
        "Write trunk='yes'.",
      ],
    ] as const;
    for (const [isWrong, place, problem, remedy] of problems) {
      if (isWrong) throw notUnderstood({ node, place }, problem, remedy);
    }
  },
);

const small = integer(0, 255);
const parameters = child(
  element("parameters", () => ({
    managerid: attribute("managerid", small),
    typeid: attribute("typeid", integer(0, 2 ** 24 - 1)),
    typeidversion: attribute("typeidversion", small),
    instanceid: attribute("instanceid", uuid),
    interfaceid: attribute("interfaceid", uuid),
    profileid: attribute("profileid", objectName),
  })),
);
/** `<virtualport>`: the port of a switch with its own protocol for configuration. */
export const virtualport = element("virtualport", () => ({
  type: attribute("type", oneOf("802.1Qbg", "802.1Qbh", "openvswitch", "midonet")),
  parameters,
}));

const rate = integer(1, Number.MAX_SAFE_INTEGER);
const rates = {
  average: attribute("average", rate),
  peak: attribute("peak", rate),
  burst: attribute("burst", rate),
};
const { average, peak, burst } = rates;
/**
 * `<inbound>` and `<outbound>` of an interface's `<bandwidth>`: rates in kilobytes per second, bursts in KiB.
 */
const bandwidthSides = {
  inbound: child(
    checked(
      element("inbound", () => ({ average, peak, floor: attribute("floor", rate), burst })),
      refuseWithoutAverage,
    ),
  ),
  outbound: child(bandwidthSide("outbound")),
};

/** `<bandwidth>` of an interface. */
export const interfaceBandwidth = child(element("bandwidth", () => bandwidthSides));

/**
 * Returns a side of `<bandwidth>` without `floor`, the share of a network's bandwidth that an interface gets.
 */
export function bandwidthSide(tag: "inbound" | "outbound", exceptions: readonly Exception[] = []) {
  return checked(
    element(tag, () => rates, exceptions),
    refuseWithoutAverage,
  );
}

interface Rates {
  readonly average?: number;
  readonly peak?: number;
  readonly floor?: number;
  readonly burst?: number;
}

// virNetDevBandwidthParseRate() of libvirt
function refuseWithoutAverage(value: Rates, node: XmlNode): void {
  const isShaped = value.peak !== undefined || value.burst !== undefined;
  if (value.average !== undefined || (value.floor !== undefined && !isShaped)) return;
  throw notUnderstood({ node, place: "@average" }, "it is missing", "Write it.");
}

/** `<port>`: an isolated interface reaches no other isolated interface of its bridge. */
export const portOptions = child(element("port", () => ({ isolated: attribute("isolated", yesNo) })));

/** Settings of the host's end of an interface, in libvirt's order. */
export const hostSide = {
  vlan: child(vlan),
  virtualport: child(virtualport),
  bandwidth: interfaceBandwidth,
  port: portOptions,
};

const filterParameter = element("parameter", () => ({
  name: required(attribute("name", word)),
  value: required(attribute("value", objectName)),
}));
const sndbuf = element("sndbuf", () => ({ bytes: required(content(integer(0, 2 ** 32 - 1))) }));
const frames = element("frames", () => ({ max: attribute("max", integer(0, 2 ** 32 - 1)) }));

const teaming = choice("teaming", {
  attribute: "type",
  of: () => ({ persistent: {}, transient: { persistent: required(attribute("persistent", word)) } }),
});

/** `<teaming>`: the substitute of a passed-through interface during a migration. */
export const teamingField = child(teaming);

/** `<script>`, `<downscript>` and `<target>`: setup and name of the network device on the host. */
export const deviceSide = {
  script: child(element("script", () => ({ path: required(attribute("path", absolutePath)) }))),
  downscript: child(element("downscript", () => ({ path: required(attribute("path", absolutePath)) }))),
  target: child(
    element("target", () => ({
      dev: required(attribute("dev", deviceName)),
      managed: attribute("managed", yesNo),
    })),
  ),
};

/** Elements after `<driver>`, in libvirt's order. */
export const tuningSide = {
  backend: child(
    element("backend", () => ({
      type: attribute("type", oneOf("default", "passt")),
      tap: attribute("tap", absolutePath),
      vhost: attribute("vhost", absolutePath),
      logFile: attribute("logFile", absolutePath),
    })),
  ),
  filterref: child(
    element("filterref", () => ({
      filter: required(attribute("filter", objectName)),
      parameters: children(filterParameter),
    })),
  ),
  tune: child(element("tune", () => ({ sndbuf: child(sndbuf) }))),
  link: child(element("link", () => ({ state: required(attribute("state", oneOf("up", "down"))) }))),
  mtu: child(element("mtu", () => ({ size: required(attribute("size", integer(1, 65535))) }))),
  coalesce: child(
    element("coalesce", () => ({ rx: child(element("rx", () => ({ frames: child(frames) }))) })),
  ),
  teaming: teamingField,
};

/** Elements refused in every interface. */
export const refusedOptions = [
  refused("backenddomain", "it is for another hypervisor"),
  refused("guest", "it is for another hypervisor"),
];
