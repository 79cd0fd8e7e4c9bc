import type { Domain } from "../../domain/domain.ts";
import type { Cpu } from "../../domain/machine/cpu.ts";
import { fillNuma } from "./default-memory.ts";

/** QEMU's default model, with KVM and without. */
const DEFAULT_MODEL = "qemu64";

/**
 * Returns the processor with its model and its check at a start. qemuDomainDefSetDefaultCPU() and
 * qemuDomainDefCPUPostParse() of libvirt
 */
export function fillCpu(domain: Domain): Cpu {
  const { cpu = { mode: "custom", features: [] } } = domain;
  const inside = fillInside(cpu, domain);
  switch (cpu.mode) {
    case "custom":
      return { ...cpu, ...fillModel(cpu, domain), match: cpu.match ?? "exact", ...inside };
    case "host-model": {
      const { model, ...rest } = cpu;
      const vendor = model?.vendorId === undefined ? {} : { model: { vendorId: model.vendorId } };
      return { ...rest, ...vendor, check: cpu.check ?? "partial", ...inside };
    }
    case "host-passthrough":
      return { ...cpu, check: cpu.check ?? "none", migratable: cpu.migratable ?? true, ...inside };
    case "maximum":
      return { ...cpu, check: cpu.check ?? "none", ...inside };
  }
}

type CustomCpu = Extract<Cpu, { readonly mode: "custom" }>;

/** The default model is not checked: it might not match the host, and QEMU omits missing features. */
function fillModel(
  { model, check }: CustomCpu,
  domain: Domain,
): Required<Pick<CustomCpu, "model" | "check">> {
  if (model === undefined) {
    return { model: { name: defaultModel(domain), fallback: "forbid" }, check: check ?? "none" };
  }
  return {
    model: { ...model, fallback: model.fallback ?? "allow" },
    check: check ?? (domain.type === "qemu" ? "none" : "partial"),
  };
}

/** The emulator for 32-bit guests has a different default. */
function defaultModel({ os, devices }: Domain): string {
  const { emulator = os.type.arch === "i686" ? "qemu-system-i386" : "" } = devices;
  return emulator.endsWith("qemu-system-i386") ? "qemu32" : DEFAULT_MODEL;
}

function fillInside(
  { features, topology, numa }: Cpu,
  domain: Domain,
): Pick<Cpu, "features" | "topology" | "numa"> {
  return {
    features: features.map((feature) => ({ ...feature, policy: feature.policy ?? "require" })),
    ...(topology === undefined
      ? {}
      : { topology: { ...topology, dies: topology.dies ?? 1, clusters: topology.clusters ?? 1 } }),
    ...(numa === undefined ? {} : { numa: fillNuma(numa, domain) }),
  };
}
