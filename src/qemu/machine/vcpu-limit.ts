import type { Devices } from "../../domain/devices.ts";
import type { Domain } from "../../domain/domain.ts";
import type { Machine } from "../model/machine.ts";
import { cannotTranslate } from "../refusal.ts";

// Rule: A guest has at most 255 processors without extended interrupt mode.

/**
 * Maximum number of vCPUs that interrupts can address without extended interrupt mode.
 * QEMU_MAX_VCPUS_WITHOUT_EIM of libvirt
 */
const MOST_WITHOUT_EIM = 255;

/**
 * Adds the IOMMU that a guest with many vCPUs needs for interrupts. qemuDomainDefAddDefaultDevices() of
 * libvirt
 */
export function addIommu(devices: Devices, domain: Domain, { chipset }: Machine): Devices {
  if (chipset !== "q35" || devices.iommu !== undefined || !hasMany(domain)) return devices;
  return { ...devices, iommu: { model: "intel", driver: { intremap: true, eim: true } } };
}

/**
 * Throws "unsupported" for vCPUs that interrupts could not reach. qemuValidateDomainVCpuTopology() of libvirt
 */
export function refuseMany(domain: Domain, { chipset, word }: Machine): void {
  if (!hasMany(domain)) return;
  const { iommu } = domain.devices;
  if (chipset !== "q35") {
    const why = `a ${word} machine has at most ${MOST_WITHOUT_EIM} processors`;
    throw cannotTranslate("/domain/vcpu", why, "Write machine='q35', or a smaller number.");
  }
  if (iommu?.model === "intel" && iommu.driver?.eim === true) return;
  const why = `more than ${MOST_WITHOUT_EIM} processors require extended interrupt mode`;
  throw cannotTranslate(
    "/domain/devices/iommu",
    why,
    "Write <driver intremap='on' eim='on'/> into it, or leave it out.",
  );
}

function hasMany({ vcpu }: Domain): boolean {
  return (vcpu?.count ?? 1) > MOST_WITHOUT_EIM;
}
