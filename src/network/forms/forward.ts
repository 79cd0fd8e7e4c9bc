import { deviceName } from "../../domain/devices/network/source.ts";
import { addPciDomain, hostPciFields } from "../../domain/forms/address.ts";
import { canonical } from "../../domain/forms/canonical.ts";
import { hostdevDriver } from "../../domain/forms/hostdev-driver.ts";
import { choice } from "../../xml/choice.ts";
import { checked, dropped, element, rewritten, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, required } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { numbered } from "../../xml/numbered.ts";
import { integer, oneOf, yesNo } from "../../xml/value-form.ts";
import { problemOfRange } from "../address/address-range.ts";
import { refusePart } from "./refuse-part.ts";
import { ipv4Address } from "./text.ts";

const COUNTED = "a running network counts its guests there";
const port = integer(1, 65535);

const addressRange = checked(
  element("address", () => ({
    start: required(attribute("start", ipv4Address)),
    end: required(attribute("end", ipv4Address)),
  })),
  (range, node) => {
    const why = problemOfRange(range);
    if (why !== undefined) refusePart(node, "@end", { why, remedy: "Write the last address of the range." });
  },
);
const portRange = checked(
  element("port", () => ({
    start: required(attribute("start", port)),
    end: required(attribute("end", port)),
  })),
  ({ start, end }, node) => {
    if (end >= start) return;
    refusePart(node, "@end", {
      why: `${end} is less than ${start}`,
      remedy: "Write the last port of the range.",
    });
  },
);
const nat = element("nat", () => ({
  ipv6: attribute("ipv6", yesNo),
  address: child(addressRange),
  port: child(portRange),
}));

/** `<interface>`: a device of the host for guests. */
export const poolInterface = element("interface", () => ({ dev: required(attribute("dev", deviceName)) }), [
  dropped("@connections", COUNTED),
]);
const poolAddress = rewritten(
  choice("address", {
    attribute: "type",
    of: () => ({ pci: hostPciFields }),
    exceptions: [dropped("@connections", COUNTED)],
  }),
  addPciDomain,
);

const written = element("forward", () => ({
  dev: attribute("dev", deviceName),
  mode: attribute(
    "mode",
    oneOf("none", "nat", "route", "open", "bridge", "private", "vepa", "passthrough", "hostdev"),
  ),
  managed: attribute("managed", yesNo),
  driver: hostdevDriver,
  nat: child(nat),
  pf: child(element("pf", () => ({ dev: required(attribute("dev", deviceName)) }))),
  interfaces: children(poolInterface),
  addresses: children(poolAddress),
}));

type Written = ValueOf<typeof written>;

/**
 * `<forward>`, https://libvirt.org/formatnetwork.html#connectivity. Without a mode it is `nat`; `dev` is the
 * first of the interfaces. virNetworkForwardDefParseXML() of libvirt
 */
export const forward = rewritten(checked(written, refuseContradictions), asKept);

/** Network's way out of the host. */
export type Forward = ValueOf<typeof written>;

function refuseContradictions(value: Written, node: XmlNode): void {
  refuseMixedPool(value, node);
  refuseRepeated(node, "interface", value.interfaces);
  refuseRepeated(node, "address", value.addresses);
  const [first] = value.interfaces;
  if (value.dev !== undefined && first !== undefined && value.dev !== first.dev) {
    refusePart(node, "@dev", {
      why: `the first <interface> is ${first.dev}`,
      remedy: "Write the name of the first <interface>, or leave dev out of <forward>.",
    });
  }
  if (value.nat !== undefined && (value.mode ?? "nat") !== "nat") {
    refusePart(node, "nat", { why: "only mode='nat' has it", remedy: "Leave <nat> out of <forward>." });
  }
}

function refuseMixedPool({ addresses, dev, interfaces, pf }: Written, node: XmlNode): void {
  const isNamed = dev !== undefined || interfaces.length > 0;
  const kinds = [isNamed, pf !== undefined, addresses.length > 0].filter((isUsed) => isUsed);
  if (kinds.length < 2) return;
  refusePart(node, addresses.length > 0 ? "address" : "pf", {
    why: "network devices, PCI addresses and a physical function exclude each other",
    remedy: "Write only one of <interface> (or dev), <address> and <pf>.",
  });
}

function refuseRepeated(node: XmlNode, tag: string, pool: readonly object[]): void {
  const seen = new Set<string>();
  const again = pool.findIndex((found) => {
    const key = canonical(found);
    return seen.has(key) || !seen.add(key);
  });
  if (again === -1) return;
  refusePart(node, numbered(tag, pool, again), {
    why: "it is listed twice",
    remedy: `Remove all but one of the equal <${tag}>.`,
  });
}

function asKept({ dev, managed, mode = "nat", nat: range, interfaces, ...rest }: Written): Written {
  const pool = interfaces.length === 0 && dev !== undefined ? [{ dev }] : interfaces;
  const [first] = pool;
  const isEmpty = range === undefined || Object.keys(range).length === 0;
  return {
    ...(first === undefined ? {} : { dev: first.dev }),
    mode,
    ...(mode === "hostdev" ? { managed: managed ?? false } : {}),
    ...(isEmpty ? {} : { nat: range }),
    ...rest,
    interfaces: pool,
  };
}
