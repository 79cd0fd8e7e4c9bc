import { choice } from "../../../xml/choice.ts";
import { dropped, element, type ValueOf } from "../../../xml/element.ts";
import { attribute, child, required } from "../../../xml/field.ts";
import { oneOf, yesNo } from "../../../xml/value-form.ts";
import { onPciOrUsb } from "../../forms/address.ts";
import { bootOrder } from "../../forms/boot-order.ts";
import { hostdevDriver } from "../../forms/hostdev-driver.ts";
import { acpiIndex, rom } from "../../forms/rom.ts";
import { macAddress } from "../../forms/text.ts";
import { deviceSide, hostSide, interfaceDriver, refusedOptions, tuningSide } from "./options.ts";
import {
  bridgeSource,
  directSource,
  ethernetSource,
  hostdevSource,
  ipFields,
  networkSource,
  portForwards,
  serverSource,
  tunnelSource,
  udpSource,
  userSource,
  vdpaSource,
  vhostUserSource,
} from "./source.ts";

const mac = element(
  "mac",
  () => ({
    address: required(attribute("address", macAddress)),
    type: attribute("type", oneOf("generated", "static")),
    check: attribute("check", yesNo),
  }),
  [dropped("@currentAddress", "a running guest has it")],
);
const model = element("model", () => ({
  type: required(
    attribute(
      "type",
      oneOf(
        "virtio",
        "virtio-transitional",
        "virtio-non-transitional",
        "e1000",
        "e1000e",
        "igb",
        "rtl8139",
        "ne2k_pci",
        "pcnet",
        "vmxnet3",
        "usb-net",
        "tulip",
        "i82551",
        "i82557b",
        "i82559er",
      ),
    ),
  ),
}));

const head = { trustGuestRxFilters: attribute("trustGuestRxFilters", yesNo), mac: child(mac) };
const end = {
  model: child(model),
  driver: interfaceDriver,
  ...tuningSide,
  boot: bootOrder,
  alias: onPciOrUsb.alias,
  rom,
  acpi: acpiIndex,
  address: onPciOrUsb.address,
};
const tail = { ...hostSide, ...ipFields, ...deviceSide, ...end };

/** `<interface>`, https://libvirt.org/formatdomain.html#network-interfaces */
export const networkInterface = choice("interface", {
  attribute: "type",
  of: () => ({
    user: {
      ...head,
      source: child(userSource),
      ...hostSide,
      ...ipFields,
      portForwards,
      ...deviceSide,
      ...end,
    },
    network: { ...head, source: required(child(networkSource)), ...tail },
    bridge: { ...head, source: required(child(bridgeSource)), ...tail },
    ethernet: { ...head, source: child(ethernetSource), ...tail },
    direct: { ...head, source: required(child(directSource)), ...tail },
    hostdev: {
      managed: attribute("managed", yesNo),
      ...head,
      source: required(child(hostdevSource)),
      ...tail,
      driver: hostdevDriver,
    },
    vdpa: { ...head, source: required(child(vdpaSource)), ...tail },
    vhostuser: {
      ...head,
      source: child(vhostUserSource),
      ...hostSide,
      ...ipFields,
      portForwards,
      ...deviceSide,
      ...end,
    },
    udp: { ...head, source: required(child(udpSource)), ...tail },
    mcast: { ...head, source: required(child(tunnelSource)), ...tail },
    server: { ...head, source: required(child(serverSource)), ...tail },
    client: { ...head, source: required(child(tunnelSource)), ...tail },
  }),
  refused: {
    vds: "it is for another hypervisor",
    internal: "it is for another hypervisor",
    null: "it is for another hypervisor",
  },
  exceptions: refusedOptions,
});
export type NetworkInterface = ValueOf<typeof networkInterface>;
/** Interface of a type. */
export type InterfaceOf<T extends NetworkInterface["type"]> = Extract<NetworkInterface, { readonly type: T }>;
