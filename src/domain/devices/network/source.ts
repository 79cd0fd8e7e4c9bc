import { dropped, element, refused } from "../../../xml/element.ts";
import { attribute, child, children, required } from "../../../xml/field.ts";
import { integer, matching, oneOf, yesNo } from "../../../xml/value-form.ts";
import { interfacePciAddress } from "../../forms/address.ts";
import { sourceReconnect } from "../../forms/reconnect.ts";
import { absolutePath, objectName, uuid } from "../../forms/text.ts";

/** Name of a network device of the host: IFNAMSIZ in linux/if.h less the closing NUL, and no path. */
export const deviceName = matching(
  /^(?!\.{1,2}$)[^\s/:\p{Cc}]{1,15}$/u,
  "a network device's name of at most 15 characters",
);

const ipAddress = matching(/^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F:.]{2,45})$/, "an IP address");
const family = attribute("family", oneOf("ipv4", "ipv6"));
const prefix = attribute("prefix", integer(0, 128));
const port = integer(1, 65535);

/** `<ip>` and `<route>`, for the guest's end or, inside `<source>`, for the host's end. */
export const ipFields = {
  ips: children(
    element("ip", () => ({
      address: required(attribute("address", ipAddress)),
      family,
      prefix,
      peer: attribute("peer", ipAddress),
    })),
  ),
  routes: children(
    element("route", () => ({
      family,
      address: required(attribute("address", ipAddress)),
      netmask: attribute("netmask", ipAddress),
      prefix,
      gateway: required(attribute("gateway", ipAddress)),
      metric: attribute("metric", integer(1, 2 ** 31 - 1)),
    })),
  ),
};

// <source> of each type of interface, https://libvirt.org/formatdomain.html#network-interfaces
/** A running guest has the bridge of its network. */
export const networkSource = element("source", () => ({
  network: required(attribute("network", objectName)),
  portgroup: attribute("portgroup", objectName),
  portid: attribute("portid", uuid),
  bridge: attribute("bridge", deviceName),
}));
/** A running guest has the bridge of a network with the network's name. */
export const bridgeSource = element("source", () => ({
  network: attribute("network", objectName),
  portgroup: attribute("portgroup", objectName),
  portid: attribute("portid", uuid),
  bridge: required(attribute("bridge", deviceName)),
}));
/** A running guest has a macvtap of a network with the network's name. */
export const directSource = element("source", () => ({
  network: attribute("network", objectName),
  portgroup: attribute("portgroup", objectName),
  portid: attribute("portid", uuid),
  dev: required(attribute("dev", deviceName)),
  mode: attribute("mode", oneOf("vepa", "bridge", "private", "passthrough")),
}));
export const ethernetSource = element("source", () => ipFields);
export const hostdevSource = element("source", () => ({ address: required(child(interfacePciAddress)) }), [
  refused("vendor", "svirt does not look up USB devices"),
  refused("product", "svirt does not look up USB devices"),
  dropped("@missing", "it reports the result of a start"),
]);
export const vdpaSource = element("source", () => ({ dev: required(attribute("dev", absolutePath)) }));
export const userSource = element("source", () => ({ dev: required(attribute("dev", deviceName)) }));
export const vhostUserSource = element("source", () => ({
  type: attribute("type", oneOf("unix")),
  path: attribute("path", absolutePath),
  mode: attribute("mode", oneOf("server", "client")),
  dev: attribute("dev", deviceName),
  reconnect: sourceReconnect,
}));
export const tunnelSource = element("source", () => ({
  address: required(attribute("address", ipAddress)),
  port: required(attribute("port", port)),
}));
export const serverSource = element("source", () => ({
  address: attribute("address", ipAddress),
  port: required(attribute("port", port)),
}));
export const udpSource = element("source", () => ({
  address: required(attribute("address", ipAddress)),
  port: required(attribute("port", port)),
  local: required(
    child(
      element("local", () => ({
        address: required(attribute("address", ipAddress)),
        port: required(attribute("port", port)),
      })),
    ),
  ),
}));

const range = element("range", () => ({
  start: required(attribute("start", port)),
  end: attribute("end", port),
  to: attribute("to", port),
  exclude: attribute("exclude", yesNo),
}));

/** `<portForward>`: ports of the host forwarded to the guest. */
export const portForwards = children(
  element("portForward", () => ({
    proto: required(attribute("proto", oneOf("tcp", "udp"))),
    address: attribute("address", ipAddress),
    dev: attribute("dev", deviceName),
    ranges: children(range),
  })),
);
