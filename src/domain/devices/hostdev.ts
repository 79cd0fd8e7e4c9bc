import { choice } from "../../xml/choice.ts";
import { checked, dropped, element, refused, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, flag, required } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { hexadecimal, integer, matching, oneOf, onOff, yesNo } from "../../xml/value-form.ts";
import { hostdevAddress, hostPciAddress } from "../forms/address.ts";
import { alias } from "../forms/alias.ts";
import { bootOrder } from "../forms/boot-order.ts";
import { hostdevDriver } from "../forms/hostdev-driver.ts";
import { acpiIndex, rom } from "../forms/rom.ts";
import { auth } from "../forms/secret.ts";
import { initiator } from "../forms/source/network.ts";
import { hostName, objectName, uuid, word } from "../forms/text.ts";
import { virtioModel } from "../forms/virtio-driver.ts";
import { teamingField } from "./network/options.ts";

const startupPolicy = attribute("startupPolicy", oneOf("mandatory", "requisite", "optional"));
const usbId = (tag: string) =>
  child(element(tag, () => ({ id: required(attribute("id", hexadecimal(0xffff, 4))) })));

const usbSource = checked(
  element(
    "source",
    () => ({
      startupPolicy,
      guestReset: attribute("guestReset", oneOf("off", "uninitialized", "on")),
      vendor: usbId("vendor"),
      product: usbId("product"),
      address: child(
        element("address", () => ({
          bus: required(attribute("bus", integer(0, 999))),
          device: required(attribute("device", integer(0, 999))),
        })),
      ),
    }),
    [dropped("@missing", "it reports the result of a start")],
  ),
  (value, node) => {
    if ((value.vendor === undefined) !== (value.product === undefined)) {
      throw notUnderstood({ node }, "a vendor and a product require each other", "Write both.");
    }
    if (value.vendor !== undefined || value.address !== undefined) return;
    throw notUnderstood({ node }, "it names no device", "Write <address bus='…' device='…'/>.");
  },
);

const scsiAddress = element("address", () => ({
  bus: required(attribute("bus", integer(0, 2 ** 32 - 1))),
  target: required(attribute("target", integer(0, 2 ** 32 - 1))),
  unit: required(attribute("unit", integer(0, Number.MAX_SAFE_INTEGER))),
}));
const iscsiHost = element("host", () => ({
  name: required(attribute("name", hostName)),
  port: attribute("port", integer(1, 65535)),
}));
const scsiSource = choice("source", {
  attribute: "protocol",
  silent: "adapter",
  of: () => ({
    adapter: {
      adapter: required(child(element("adapter", () => ({ name: required(attribute("name", word)) })))),
      address: required(child(scsiAddress)),
    },
    iscsi: {
      name: required(attribute("name", objectName)),
      hosts: children(iscsiHost),
      auth,
      initiator,
    },
  }),
  refused: { adapter: "a source without a protocol is an adapter" },
});
const wwpn = matching(/^naa\.[0-9a-fA-F]{16}$/, "naa. and 16 hexadecimal digits");
const scsiHostSource = element("source", () => ({
  protocol: required(attribute("protocol", oneOf("vhost"))),
  wwpn: required(attribute("wwpn", wwpn)),
}));
const mdevSource = element("source", () => ({
  address: required(child(element("address", () => ({ uuid: required(attribute("uuid", uuid)) })))),
}));

const mode = attribute("mode", oneOf("subsystem"));
const managed = attribute("managed", yesNo);
const display = { display: attribute("display", onOff), ramfb: attribute("ramfb", onOff) };
const end = {
  teaming: teamingField,
  readonly: flag("readonly"),
  shareable: flag("shareable"),
  boot: bootOrder,
  alias,
  rom,
  acpi: acpiIndex,
  address: child(hostdevAddress),
};
const capabilities = "svirt passes no device nodes through to containers";

/** `<hostdev>`, https://libvirt.org/formatdomain.html#host-device-assignment */
export const hostDevice = choice("hostdev", {
  attribute: "type",
  of: () => ({
    pci: {
      mode,
      managed,
      ...display,
      driver: hostdevDriver,
      source: required(
        child(
          element("source", () => ({ startupPolicy, address: required(child(hostPciAddress)) }), [
            refused("@writeFiltering", "it is for another hypervisor"),
          ]),
        ),
      ),
      ...end,
    },
    usb: { mode, managed, source: required(child(usbSource)), ...end },
    scsi: {
      mode,
      managed,
      sgio: attribute("sgio", oneOf("filtered")),
      rawio: attribute("rawio", yesNo),
      source: required(child(scsiSource)),
      ...end,
    },
    scsi_host: {
      mode,
      managed,
      model: attribute("model", virtioModel),
      source: required(child(scsiHostSource)),
      ...end,
    },
    mdev: {
      mode,
      managed,
      model: required(attribute("model", oneOf("vfio-pci"))),
      ...display,
      source: required(child(mdevSource)),
      ...end,
    },
  }),
  refused: { storage: capabilities, misc: capabilities, net: capabilities },
});
export type HostDevice = ValueOf<typeof hostDevice>;
/** Host device of a type. */
export type HostDeviceOf<T extends HostDevice["type"]> = Extract<HostDevice, { readonly type: T }>;
