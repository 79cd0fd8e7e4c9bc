import type { Iommu } from "../../domain/devices/iommu.ts";
import { type Arguments, jsonArguments, onOffWord } from "../argument/argument.ts";
import { pciKeys } from "../argument/bus-properties.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate } from "../refusal.ts";

/** -device for the IOMMU, which only q35 supports. qemuBuildIOMMUCommandLine() of libvirt */
export function formatIommu(guest: Guest): Arguments {
  const { iommu } = guest.devices;
  if (iommu === undefined) return [];
  const path = "/domain/devices/iommu";
  const id = iommu.alias ?? "iommu0";
  if (guest.machine.chipset !== "q35") {
    throw cannotTranslate(
      `${path}/@model`,
      `a ${guest.machine.word} machine has no IOMMU`,
      "Write machine='q35'.",
    );
  }
  if (iommu.model === "intel") {
    refuseWithoutRemapping(iommu, guest, path);
    return jsonArguments("-device", { driver: "intel-iommu", id, ...intelKeys(iommu) });
  }
  if (guest.domain.features?.acpi !== true) {
    const remedy = "Write <features><acpi/></features>.";
    throw cannotTranslate(`${path}/@model`, "it requires ACPI", remedy);
  }
  if ((iommu.address?.bus ?? 0) !== 0) {
    throw cannotTranslate(
      `${path}/address/@bus`,
      "a virtio IOMMU must be on the root bus",
      "Write bus='0x00'.",
    );
  }
  return jsonArguments("-device", { driver: "virtio-iommu", id, ...pciKeys(guest, iommu.address) });
}

type IntelIommu = Extract<Iommu, { readonly model: "intel" }>;

function intelKeys({ driver }: IntelIommu): Readonly<Record<string, unknown>> {
  const word = (value: boolean | undefined): string | undefined =>
    value === undefined ? undefined : onOffWord(value);
  return {
    intremap: word(driver?.intremap),
    "caching-mode": driver?.cachingMode,
    eim: word(driver?.eim),
    "device-iotlb": driver?.iotlb,
    "aw-bits": driver?.awBits === 0 ? undefined : driver?.awBits,
    "dma-translation": driver?.dmaTranslation,
  };
}

// virDomainIOMMUDefValidate() and qemuValidateDomainDeviceDefIOMMU() of libvirt
function refuseWithoutRemapping({ driver }: IntelIommu, { domain }: Guest, path: string): void {
  if (driver?.intremap === true && domain.features?.ioapic?.driver !== "qemu") {
    const why = "it requires QEMU's I/O APIC";
    throw cannotTranslate(`${path}/driver/@intremap`, why, "Write <features><ioapic driver='qemu'/>.");
  }
  if (driver?.eim !== true || driver.intremap === true) return;
  const why = "it requires interrupt remapping";
  throw cannotTranslate(`${path}/driver/@eim`, why, "Write intremap='on' too.");
}
