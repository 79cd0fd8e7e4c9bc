import type { Controller } from "../../../domain/devices/controller.ts";
import type { ControllerOf } from "../../model/guest.ts";
import type { Machine } from "../../model/machine.ts";
import { cannotTranslate, devicePath } from "../../refusal.ts";
import { refuseTarget } from "../network/target-rules.ts";

/**
 * Maximum number of controllers of a type: a PCI bus number has eight bits, and no type has more controllers
 * than buses.
 */
export const MOST_CONTROLLERS = 256;

/** Refuses more controllers of a type than any board supports. Throws "unsupported". */
export function refuseTooMany(controllers: readonly Controller[]): void {
  const counts = new Map<string, number>();
  for (const [position, { type, index = 0 }] of controllers.entries()) {
    const count = (counts.get(type) ?? 0) + 1;
    counts.set(type, count);
    if (count <= MOST_CONTROLLERS && (type !== "pci" || index < MOST_CONTROLLERS)) continue;
    const why = `a machine has at most ${MOST_CONTROLLERS} controllers of one type, from number 0`;
    throw cannotTranslate(
      devicePath("controller", position),
      why,
      "Remove the controller, or write a lower number.",
    );
  }
}

/** Refuses controllers impossible on the board, and contradictions between them. Throws "unsupported". */
export function refuseControllers(controllers: readonly Controller[], machine: Machine): void {
  for (const [index, controller] of controllers.entries()) {
    refuseController(controller, machine, devicePath("controller", index));
  }
  refuseDouble(controllers);
  refuseUsb(controllers);
}

/** Refuses two controllers with the same type and number, except companions of a USB master. */
function refuseDouble(controllers: readonly Controller[]): void {
  const seen = new Set<string>();
  for (const [position, controller] of controllers.entries()) {
    const { type, index } = controller;
    const isPart =
      type === "usb" && (controller.master !== undefined || controller.model?.startsWith("ich9"));
    if (index === undefined || isPart === true) continue;
    const key = `${type} ${index}`;
    if (seen.has(key)) {
      const path = `${devicePath("controller", position)}/@index`;
      throw cannotTranslate(
        path,
        `another ${type} controller has the number ${index}`,
        "Write another number.",
      );
    }
    seen.add(key);
  }
}

function refuseController(controller: Controller, { chipset, word }: Machine, path: string): void {
  switch (controller.type) {
    case "ide":
      if (chipset === "i440fx" && controller.index === 0 && (controller.model ?? "piix3") === "piix3") return;
      throw cannotTranslate(
        path,
        `a ${word} does not have this IDE controller`,
        "Use bus='sata' or bus='virtio'.",
      );
    case "fdc":
      if (controller.index === 0) return;
      throw cannotTranslate(path, "a PC can have only one floppy controller", "Remove it.");
    case "pci":
      refuseBridge(controller, { chipset, word }, path);
      refuseBridgeBus(controller, path);
      refuseTarget(controller, path);
      return;
    case "usb":
      refusePorts(controller, path);
      return;
    case "scsi":
      if (controller.driver === undefined || controller.model?.startsWith("virtio")) return;
      throw cannotTranslate(
        `${path}/driver`,
        "only a virtio-scsi controller has driver options",
        "Leave it out.",
      );
    case "sata":
    case "virtio-serial":
    case "ccid":
      return;
  }
}

/** Refuses a companion without a master, and "none" together with another USB controller. */
function refuseUsb(controllers: readonly Controller[]): void {
  const usb = controllers.filter((found) => found.type === "usb");
  const isMaster = ({ master }: ControllerOf<"usb">): boolean => master === undefined;
  for (const [position, controller] of controllers.entries()) {
    if (controller.type !== "usb") continue;
    const path = devicePath("controller", position);
    if (!isMaster(controller) && !usb.some((found) => isMaster(found) && found.index === controller.index)) {
      throw cannotTranslate(
        `${path}/master`,
        "no USB controller with this index is a master",
        "Add the EHCI controller of this index.",
      );
    }
    if (controller.model === "none" && usb.length > 1) {
      throw cannotTranslate(
        `${path}/@model`,
        "the guest has other USB controllers",
        "Remove the other controllers, or this one.",
      );
    }
  }
}

/** Refuses a number of ports, except for xHCI. */
function refusePorts({ model, ports }: ControllerOf<"usb">, path: string): void {
  if (ports !== undefined && model !== "nec-xhci" && model !== "qemu-xhci") {
    throw cannotTranslate(
      `${path}/@ports`,
      `a ${model ?? "piix3-uhci"} has a fixed number of ports`,
      "Leave it out.",
    );
  }
}

/** Devices supported by each model of bridge. */
const BRIDGE_DEVICES: ReadonlyMap<ControllerOf<"pci">["model"], readonly string[]> = new Map([
  ["pcie-root-port", ["pcie-root-port", "ioh3420"]],
  ["pcie-switch-upstream-port", ["x3130-upstream"]],
  ["pcie-switch-downstream-port", ["xio3130-downstream"]],
  ["pci-bridge", ["pci-bridge"]],
  ["dmi-to-pci-bridge", ["i82801b11-bridge"]],
  ["pcie-to-pci-bridge", ["pcie-pci-bridge"]],
  ["pci-expander-bus", ["pxb"]],
  ["pcie-expander-bus", ["pxb-pcie"]],
]);
function refuseBridge(
  { index, model, modelName }: ControllerOf<"pci">,
  { chipset, word }: Pick<Machine, "chipset" | "word">,
  path: string,
): void {
  if (model === undefined) return;
  if (modelName !== undefined && !BRIDGE_DEVICES.get(model)?.includes(modelName.name)) {
    throw cannotTranslate(
      `${path}/model`,
      `${modelName.name} is not a device for ${model}`,
      "Remove <model>.",
    );
  }
  const root = chipset === "q35" ? "pcie-root" : "pci-root";
  if ((index === 0) !== (model === root)) {
    const why = `the PCI controller with index 0, and only that one, must be the ${root} of a ${word}`;
    throw cannotTranslate(
      `${path}/@model`,
      why,
      `Write model='${root}' for index 0, another one for the rest.`,
    );
  }
  if (chipset === "q35" && model === "pci-expander-bus") {
    throw cannotTranslate(`${path}/@model`, `a ${word} has PCI Express`, "Write model='pcie-expander-bus'.");
  }
  if (chipset === "i440fx" && index !== 0 && model !== "pci-bridge" && model !== "pci-expander-bus") {
    const remedy = "Write machine='q35', or model='pci-bridge'.";
    throw cannotTranslate(`${path}/@model`, `a ${word} has no PCI Express`, remedy);
  }
}

const ON_ROOT: ReadonlySet<string> = new Set(["dmi-to-pci-bridge", "pci-expander-bus", "pcie-expander-bus"]);

// virDomainPCIAddressValidate() of libvirt: "It requires a controller that accepts a dmi-to-pci-bridge."
function refuseBridgeBus({ model, address }: ControllerOf<"pci">, path: string): void {
  if (model === undefined || !ON_ROOT.has(model) || (address?.bus ?? 0) === 0) return;
  throw cannotTranslate(`${path}/address/@bus`, `a ${model} must be on the root bus`, "Write bus='0'.");
}
