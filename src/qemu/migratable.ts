import type { Controller } from "../domain/devices/controller.ts";
import type { Devices } from "../domain/devices.ts";
import type { Domain } from "../domain/domain.ts";
import type { Cpu } from "../domain/machine/cpu.ts";
import { addImplicitDevices } from "./implicit-devices.ts";
import { decideMachine, type Machine } from "./model/machine.ts";

/** Beginning of names that users give to devices. virDomainDeviceAliasIsUserAlias() of libvirt */
const OF_USER = "ua-";

/**
 * Returns a domain as old versions of libvirt understand it: without the devices that they add by themselves.
 * qemuDomainDefFormatBufInternal() of libvirt with VIR_DOMAIN_XML_MIGRATABLE
 */
export function asMigratable(domain: Domain): Domain {
  const machine = decideMachine(domain);
  const { cpu, devices } = domain;
  return {
    ...domain,
    ...(cpu === undefined ? {} : { cpu: withoutPconfig(cpu) }),
    devices: {
      ...devices,
      controllers: withoutDefaults(devices.controllers, machine),
      inputs: devices.inputs.filter((found) => found.type !== "keyboard" || found.bus !== "ps2"),
      audios: withoutDefaultAudio(devices, machine),
      watchdogs: withoutItco(devices.watchdogs, machine),
    },
  };
}

/** Disables a feature that the model once had. qemuDomainMakeCPUMigratable() of libvirt */
function withoutPconfig(cpu: Cpu): Cpu {
  if (cpu.mode !== "custom" || cpu.model?.name !== "Icelake-Server") return cpu;
  const isOther = ({ name }: { readonly name: string }): boolean => name !== "pconfig";
  const at = cpu.features.findIndex((feature) => !isOther(feature));
  const disabled = { policy: "disable", name: "pconfig" } as const;
  return {
    ...cpu,
    features: at === -1 ? [...cpu.features, disabled] : cpu.features.toSpliced(at, 1, disabled),
  };
}

/** Removes the only USB controller of an old board and the only PCI controller, if they are the defaults. */
function withoutDefaults(controllers: readonly Controller[], { chipset }: Machine): readonly Controller[] {
  return controllers.filter((found) => {
    const isDefault =
      found.type === "usb"
        ? chipset === "i440fx" && (found.model === undefined || found.model === "piix3-uhci")
        : found.type === "pci" && found.model === "pci-root" && found.pcihole64KiB === undefined;
    const isOnly = controllers.filter(({ type }) => type === found.type).length === 1;
    const isNamed = found.alias?.startsWith(OF_USER) === true;
    return !(isDefault && isOnly && found.index === 0 && !isNamed);
  });
}

function withoutDefaultAudio(devices: Devices, machine: Machine): Devices["audios"] {
  const [only, ...others] = devices.audios;
  const [added] = addImplicitDevices({ ...devices, audios: [] }, machine).audios;
  const isAdded = only !== undefined && only.type === added?.type && only.id === added.id;
  const isPlain = Object.values(only ?? {}).filter((value) => value !== undefined).length === 2;
  return others.length === 0 && isAdded && isPlain ? [] : devices.audios;
}

function withoutItco(watchdogs: Devices["watchdogs"], { chipset }: Machine): Devices["watchdogs"] {
  const at = watchdogs.findIndex(({ model }) => model === "itco");
  const isDefault = chipset === "q35" && (watchdogs[at]?.action ?? "reset") === "reset";
  return at !== -1 && isDefault ? watchdogs.toSpliced(at, 1) : watchdogs;
}
