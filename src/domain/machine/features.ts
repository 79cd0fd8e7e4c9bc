import { checked, element, refused, rewritten, type ValueOf } from "../../xml/element.ts";
import { attribute, child, content, flag, required } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, oneOf, onOff, yesNo } from "../../xml/value-form.ts";
import { kiBOf, memoryUnit, sizeCount, sizeInKiB } from "../forms/memory-size.ts";
import { hyperv, switched } from "./hyperv.ts";

const KIB_PER_MIB = 1024;
const state = attribute("state", onOff);

/** The default unit is MiB. virDomainFeaturesDefParse() of libvirt */
const tseg = rewritten(
  element("tseg", () => ({ unit: attribute("unit", memoryUnit), mib: required(content(sizeCount())) })),
  ({ unit, mib }, node) => {
    const kiB = kiBOf({ count: mib, unit: unit ?? "MiB" }, node);
    if (kiB % KIB_PER_MIB === 0) return { unit: "MiB", mib: kiB / KIB_PER_MIB };
    throw notUnderstood({ node }, "it must be a multiple of 1 MiB", "Write another size.");
  },
);

const smm = checked(
  element("smm", () => ({ state, tseg: child(tseg) })),
  (value, node) => {
    if (value.tseg === undefined || value.state !== false) return;
    throw notUnderstood({ node, place: "tseg" }, "SMM is off", "Write state='on'.");
  },
);

const dirtyRing = checked(
  element("dirty-ring", () => ({
    state: required(state),
    size: attribute("size", integer(1024, 65_536)),
  })),
  (value, node) => {
    const { size = 0 } = value;
    if (!value.state || Number.isInteger(Math.log2(size))) return;
    throw notUnderstood(
      { node, place: "@size" },
      "it must be a power of two from 1024 to 65536",
      "Write size='4096'.",
    );
  },
);

const kvm = element("kvm", () => ({
  hidden: child(switched("hidden")),
  hintDedicated: child(switched("hint-dedicated")),
  pollControl: child(switched("poll-control")),
  pvIpi: child(switched("pv-ipi")),
  dirtyRing: child(dirtyRing),
}));

// qemuValidateDomainDefFeatures() of libvirt
const tcg = checked(
  element("tcg", () => ({ tbCacheKiB: sizeInKiB("tb-cache") })),
  ({ tbCacheKiB = 0 }, node) => {
    if (tbCacheKiB % KIB_PER_MIB === 0) return;
    throw notUnderstood({ node, place: "tb-cache" }, "it must be a multiple of 1 MiB", "Write another size.");
  },
);

const OTHER_PROCESSOR = "it is for another processor";
const XEN = "it is for Xen";

/** `<features>`, https://libvirt.org/formatdomain.html#hypervisor-features */
export const features = element(
  "features",
  () => ({
    acpi: flag("acpi"),
    apic: child(element("apic", () => ({ eoi: attribute("eoi", onOff) }))),
    pae: flag("pae"),
    hap: child(element("hap", () => ({ state }))),
    viridian: flag("viridian"),
    privnet: flag("privnet"),
    hyperv: child(hyperv),
    kvm: child(kvm),
    pvspinlock: child(element("pvspinlock", () => ({ state }))),
    pmu: child(element("pmu", () => ({ state }))),
    vmport: child(element("vmport", () => ({ state }))),
    smm: child(smm),
    ioapic: child(element("ioapic", () => ({ driver: required(attribute("driver", oneOf("kvm", "qemu"))) }))),
    vmcoreinfo: child(element("vmcoreinfo", () => ({ state }))),
    tcg: child(tcg),
    asyncTeardown: child(element("async-teardown", () => ({ enabled: attribute("enabled", yesNo) }))),
    ps2: child(element("ps2", () => ({ state: required(state) }))),
  }),
  [
    refused("xen", XEN),
    refused("capabilities", "it is for containers"),
    refused("msrs", "it is for bhyve"),
    refused("gic", OTHER_PROCESSOR),
    refused("hpt", OTHER_PROCESSOR),
    refused("htm", OTHER_PROCESSOR),
    refused("nested-hv", OTHER_PROCESSOR),
    refused("ccf-assist", OTHER_PROCESSOR),
    refused("cfpc", OTHER_PROCESSOR),
    refused("sbbc", OTHER_PROCESSOR),
    refused("ibs", OTHER_PROCESSOR),
    refused("ras", OTHER_PROCESSOR),
    refused("aia", OTHER_PROCESSOR),
  ],
);
export type Features = ValueOf<typeof features>;

/** Features of a domain without requests. */
export const NO_FEATURES: Features = { acpi: false, pae: false, viridian: false, privnet: false };
