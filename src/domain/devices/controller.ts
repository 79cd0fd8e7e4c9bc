import { choice } from "../../xml/choice.ts";
import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, required, textOf } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { hexadecimal, integer, oneOf, onOff } from "../../xml/value-form.ts";
import { onPci, onUsb } from "../forms/address.ts";
import { iothreadFields } from "../forms/iothread-mapping.ts";
import { sizeInKiB } from "../forms/memory-size.ts";
import { virtioDriver, virtioModel, virtioOptions } from "../forms/virtio-driver.ts";

const index = attribute("index", integer(0, 65535));

const usbModels = oneOf(
  "piix3-uhci",
  "piix4-uhci",
  "ehci",
  "ich9-ehci1",
  "ich9-uhci1",
  "ich9-uhci2",
  "ich9-uhci3",
  "pci-ohci",
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
  "pci-expander-bus",
  "pcie-expander-bus",
);

const usbMaster = element("master", () => ({ startport: required(attribute("startport", integer(0, 255))) }));
const pciModel = element("model", () => ({
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
        "pxb",
        "pxb-pcie",
      ),
    ),
  ),
}));
const pciTarget = element("target", () => ({
  chassisNr: attribute("chassisNr", integer(1, 255)),
  chassis: attribute("chassis", integer(0, 255)),
  port: attribute("port", hexadecimal(0xff, 1)),
  busNr: attribute("busNr", integer(1, 254)),
  hotplug: attribute("hotplug", onOff),
  memReserveKiB: attribute("memReserve", integer(1, 2 ** 32 - 1)),
  node: textOf("node", integer(0, 1023)),
}));
const scsiDriver = element("driver", () => ({
  queues: attribute("queues", integer(1, 65535)),
  cmdPerLun: attribute("cmd_per_lun", integer(1, 2 ** 31 - 1)),
  maxSectors: attribute("max_sectors", integer(1, 2 ** 31 - 1)),
  ioeventfd: attribute("ioeventfd", onOff),
  ...virtioOptions,
  ...iothreadFields,
}));

/** `<controller>`, https://libvirt.org/formatdomain.html#controllers */
export const controller = checked(
  choice("controller", {
    attribute: "type",
    of: () => ({
      usb: {
        index,
        model: attribute("model", usbModels),
        ports: attribute("ports", integer(1, 15)),
        alias: onPci.alias,
        master: child(usbMaster),
        address: onPci.address,
      },
      pci: {
        index,
        model: attribute("model", pciModels),
        modelName: child(pciModel),
        target: child(pciTarget),
        pcihole64KiB: sizeInKiB("pcihole64"),
        ...onPci,
      },
      ide: { index, model: attribute("model", oneOf("piix3", "piix4", "ich6")), ...onPci },
      fdc: { index, ...onPci },
      sata: { index, ...onPci },
      ccid: { index, ...onUsb },
      scsi: {
        index,
        model: attribute(
          "model",
          oneOf(
            "auto",
            "virtio-scsi",
            "virtio-transitional",
            "virtio-non-transitional",
            "lsilogic",
            "lsisas1068",
            "lsisas1078",
            "vmpvscsi",
            "am53c974",
            "dc390",
          ),
        ),
        driver: child(scsiDriver),
        ...onPci,
      },
      "virtio-serial": {
        index,
        ports: attribute("ports", integer(1, 511)),
        vectors: attribute("vectors", integer(0, 2048)),
        model: attribute("model", virtioModel),
        driver: virtioDriver,
        ...onPci,
      },
    }),
    refused: {
      isa: "it is for another hypervisor",
      nvme: "svirt does not put drives on NVMe controllers yet",
      xenbus: "it is for another hypervisor",
    },
  }),
  (value, node) => {
    if (value.type !== "pci" || value.index !== 0 || value.address === undefined) return;
    // qemuValidateDomainDeviceDefControllerPCI() of libvirt
    throw notUnderstood({ node, place: "address" }, "a root controller has no address", "Leave it out.");
  },
);
export type Controller = ValueOf<typeof controller>;
