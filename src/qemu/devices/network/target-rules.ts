import type { ControllerOf } from "../../model/guest.ts";
import { cannotTranslate } from "../../refusal.ts";

type Bridge = ControllerOf<"pci">;
type Model = NonNullable<Bridge["model"]>;

const PORTS: readonly Model[] = ["pcie-root-port", "pcie-switch-downstream-port"];
const EXPANDERS: readonly Model[] = ["pci-expander-bus", "pcie-expander-bus"];

/** Settings that only some models of bridges have. qemuValidateDomainDeviceDefControllerPCI() of libvirt */
const TARGETS: readonly (readonly [
  place: string,
  key: keyof NonNullable<Bridge["target"]>,
  models: readonly Model[],
])[] = [
  ["@chassisNr", "chassisNr", ["pci-bridge"]],
  ["@chassis", "chassis", PORTS],
  ["@port", "port", PORTS],
  ["@busNr", "busNr", EXPANDERS],
  ["@hotplug", "hotplug", ["pci-root", ...PORTS]],
  ["@memReserve", "memReserveKiB", ["pci-bridge", ...PORTS]],
  ["node", "node", EXPANDERS],
];

/** Refuses settings that the bridge's model does not have. Throws "unsupported". */
export function refuseTarget({ model = "pci-root", target, pcihole64KiB }: Bridge, path: string): void {
  const wrong = TARGETS.find(([, key, models]) => target?.[key] !== undefined && !models.includes(model));
  if (wrong !== undefined) {
    const [place] = wrong;
    throw cannotTranslate(
      `${path}/target/${place}`,
      `a ${model} does not have this setting`,
      "Leave it out.",
    );
  }
  if (pcihole64KiB === undefined || model === "pci-root" || model === "pcie-root") return;
  throw cannotTranslate(`${path}/pcihole64`, "only the root bus has this setting", "Leave it out.");
}
