import type { Controller } from "../../../domain/devices/controller.ts";
import type { Devices } from "../../../domain/devices.ts";
import { type ControllerOf, pciPlace } from "../../model/guest.ts";
import { cannotTranslate } from "../../refusal.ts";

type Bridge = ControllerOf<"pci">;
type BridgeName = NonNullable<Bridge["modelName"]>["name"];

/** QEMU's device for each kind of bridge. qemuDomainPCIControllerSetDefaultModelName() of libvirt */
const DEVICES: ReadonlyMap<Bridge["model"], BridgeName> = new Map([
  ["pci-bridge", "pci-bridge"],
  ["dmi-to-pci-bridge", "i82801b11-bridge"],
  ["pcie-to-pci-bridge", "pcie-pci-bridge"],
  ["pcie-root-port", "pcie-root-port"],
  ["pcie-switch-upstream-port", "x3130-upstream"],
  ["pcie-switch-downstream-port", "xio3130-downstream"],
  ["pci-expander-bus", "pxb"],
  ["pcie-expander-bus", "pxb-pcie"],
] as const);

/** Returns the devices, each bridge with QEMU's device name and with its numbers in the guest. */
export function fillBridges(devices: Devices): Devices {
  return { ...devices, controllers: numberExpanders(devices.controllers.map(fillBridge)) };
}

/**
 * Bus numbers of expanders are counted down, with a free number below each. qemuDomainAddressFindNewBusNr()
 * of libvirt
 */
function numberExpanders(controllers: readonly Controller[]): readonly Controller[] {
  const given = controllers.flatMap((found) => (isExpander(found) ? (found.target?.busNr ?? []) : []));
  let lowest = Math.min(ABOVE_ALL_BUSES, ...given);
  return controllers.map((found) => {
    if (!isExpander(found) || found.target?.busNr !== undefined) return found;
    if (lowest <= 2) {
      throw cannotTranslate(
        "/domain/devices",
        "no bus number is free for an expander",
        "Write target/@busNr.",
      );
    }
    lowest -= 2;
    return { ...found, target: { ...found.target, busNr: lowest } };
  });
}

const ABOVE_ALL_BUSES = 256;

function isExpander(found: Controller): found is Bridge {
  return found.type === "pci" && (found.model === "pci-expander-bus" || found.model === "pcie-expander-bus");
}

// qemuDomainAssignPCIAddresses() of libvirt
function fillBridge(controller: Controller): Controller {
  if (controller.type !== "pci") return controller;
  const name = controller.modelName?.name ?? DEVICES.get(controller.model);
  const target = fillTarget(controller);
  return {
    ...controller,
    ...(name === undefined ? {} : { modelName: { name } }),
    ...(target === undefined ? {} : { target }),
  };
}

function fillTarget({ model, index, target, address }: Bridge): Bridge["target"] {
  const { slot, function: fn } = pciPlace(address ?? { type: "pci" });
  const chassis = target?.chassis ?? index ?? 0;
  switch (model) {
    case "pci-bridge":
      return { ...target, chassisNr: target?.chassisNr ?? index ?? 0 };
    case "pcie-root-port":
      return { ...target, chassis, port: target?.port ?? slot * 8 + fn };
    case "pcie-switch-downstream-port":
      return { ...target, chassis, port: target?.port ?? slot };
    default:
      return target;
  }
}
