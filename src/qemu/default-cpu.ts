import type { Cpu } from "../domain/cpu.ts";
import type { Domain } from "../domain/domain.ts";
import { fillNuma } from "./default-memory.ts";

/** QEMU's own choice where the XML names no model, on KVM and without. */
const DEFAULT_MODEL = "qemu64";

/**
 * The processor with its model, and what is checked of it at a start. qemuDomainDefSetDefaultCPU() and
 * qemuDomainDefCPUPostParse() of libvirt
 */
export function fillCpu(domain: Domain): Cpu {
  const { type, cpu = { mode: "custom", features: [] } } = domain;
  const inside = fillInside(cpu, domain);
  switch (cpu.mode) {
    case "custom":
      return { ...cpu, ...fillModel(cpu, type), match: cpu.match ?? "exact", ...inside };
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

/** The default one is not known to run on any host, and QEMU leaves out what is missing: so nothing is checked. */
function fillModel(
  { model, check }: CustomCpu,
  type: Domain["type"],
): Required<Pick<CustomCpu, "model" | "check">> {
  if (model === undefined) {
    return { model: { name: DEFAULT_MODEL, fallback: "forbid" }, check: check ?? "none" };
  }
  return {
    model: { ...model, fallback: model.fallback ?? "allow" },
    check: check ?? (type === "qemu" ? "none" : "partial"),
  };
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
