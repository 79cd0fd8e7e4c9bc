import type { Domain } from "../../domain/domain.ts";
import { type Features, NO_FEATURES } from "../../domain/machine/features.ts";

/**
 * Returns the features with defaults. A feature without a state is on; remapped interrupts need QEMU's I/O
 * APIC. virDomainFeaturesDefParse() and qemuDomainDefEnableDefaultFeatures() of libvirt
 */
export function fillFeatures({ features, devices }: Domain): Pick<Domain, "features"> {
  const isRemapped = devices.iommu?.model === "intel" && devices.iommu.driver?.intremap === true;
  const ioapic = isRemapped ? { ioapic: features?.ioapic ?? { driver: "qemu" as const } } : {};
  if (features === undefined && !isRemapped) return {};
  return { features: { ...NO_FEATURES, ...(features && fillStates(features)), ...ioapic } };
}

function fillStates(features: Features): Features {
  return {
    ...features,
    ...on(features, "pvspinlock"),
    ...on(features, "pmu"),
    ...on(features, "vmport"),
    ...on(features, "vmcoreinfo"),
    ...(features.smm === undefined ? {} : { smm: { ...features.smm, state: features.smm.state ?? true } }),
  };
}

function on<K extends "pvspinlock" | "pmu" | "vmport" | "vmcoreinfo">(
  features: Features,
  name: K,
): Pick<Features, K> | undefined {
  const found = features[name];
  return found === undefined ? undefined : ({ [name]: { state: found.state ?? true } } as Pick<Features, K>);
}
