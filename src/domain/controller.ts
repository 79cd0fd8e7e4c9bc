import { choice } from "../xml/choice.ts";
import { checked, element, type ValueOf } from "../xml/element.ts";
import { attribute, child, required } from "../xml/field.ts";
import { notUnderstood } from "../xml/refusal.ts";
import { hexadecimal, integer, oneOf, onOff } from "../xml/value-form.ts";
import { onPci } from "./address.ts";

const index = attribute("index", integer(0, 65535));

const usbModels = oneOf(
  "piix3-uhci",
  "piix4-uhci",
  "ehci",
  "ich9-ehci1",
  "ich9-uhci1",
  "ich9-uhci2",
  "ich9-uhci3",
  "nec-xhci",
  "qemu-xhci",
  "none",
);
const pciModels = oneOf(
  "pci-root",
  "pcie-root",
  "pci-bridge",
  "dmi-to-pci-bridge",
  "pcie-to-pci-bridge",
  "pcie-root-port",
  "pcie-switch-upstream-port",
  "pcie-switch-downstream-port",
);

const usbMaster = element("master", { startport: required(attribute("startport", integer(0, 255))) });
const pciModel = element("model", {
  name: required(
    attribute(
      "name",
      oneOf(
        "pci-bridge",
        "i82801b11-bridge",
        "pcie-pci-bridge",
        "ioh3420",
        "pcie-root-port",
        "x3130-upstream",
        "xio3130-downstream",
      ),
    ),
  ),
});
const pciTarget = element("target", {
  chassisNr: attribute("chassisNr", integer(1, 255)),
  chassis: attribute("chassis", integer(0, 255)),
  port: attribute("port", hexadecimal(0xff, 1)),
  hotplug: attribute("hotplug", onOff),
});

/** `<controller>`, https://libvirt.org/formatdomain.html#controllers */
export const controller = checked(
  choice("controller", {
    attribute: "type",
    of: {
      usb: {
        index,
        model: attribute("model", usbModels),
        ports: attribute("ports", integer(1, 15)),
        master: child(usbMaster),
        ...onPci,
      },
      pci: {
        index,
        model: attribute("model", pciModels),
        modelName: child(pciModel),
        target: child(pciTarget),
        ...onPci,
      },
      ide: { index, model: attribute("model", oneOf("piix3", "piix4", "ich6")), ...onPci },
      fdc: { index, ...onPci },
      sata: { index, ...onPci },
      scsi: { index, model: attribute("model", oneOf("virtio-scsi", "lsilogic")), ...onPci },
      "virtio-serial": {
        index,
        ports: attribute("ports", integer(1, 511)),
        vectors: attribute("vectors", integer(0, 2048)),
        ...onPci,
      },
    },
  }),
  (value, node) => {
    if (value.type !== "pci" || value.index !== 0 || value.address === undefined) return;
    // qemuValidateDomainDeviceDefControllerPCI() of libvirt
    throw notUnderstood({ node, place: "address" }, "the root of all buses is on none", "Leave it out.");
  },
);
export type Controller = ValueOf<typeof controller>;
