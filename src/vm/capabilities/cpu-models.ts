import {
  type CpuDescription,
  parseCpuDescription,
  refuseTooLong,
} from "../../domain/other-documents/cpu-description.ts";
import { SvirtError } from "../../errors.ts";
import { baselineCpu, expandCpu, formatNamedCpu, type NamedCpu } from "../../qemu/cpu-model/baseline.ts";
import { type Comparison, compareCpu } from "../../qemu/cpu-model/compare.ts";
import { DEFAULT_EMULATOR } from "../../qemu/default-devices.ts";
import type { Instance } from "../../state/instance.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { fastestType } from "./capabilities.ts";
import { checkArch } from "./check-arch.ts";
import { findBoard } from "./domain-capabilities.ts";
import { getCpuModels, getEmulatorFacts } from "./emulator.ts";

/** Reason of virCPUx86Compare() of libvirt for a host with an unknown processor. */
const UNKNOWN_HOST = "unknown host CPU";

/** Guests of the processor; an undefined field: svirt's default. */
export interface GuestKind {
  readonly emulator: string | undefined;
  readonly arch: string | undefined;
  readonly machine: string | undefined;
  readonly type: "kvm" | "qemu" | undefined;
}

/** Options of a baseline. virConnectBaselineCPUFlags of libvirt */
interface BaselineOptions {
  readonly isExpanded: boolean;
  readonly isMigratable: boolean;
}

/** Processor for several hosts, and libvirt's `<cpu>` of it. */
export interface Baseline {
  readonly cpu: NamedCpu;
  readonly xml: string;
}

/**
 * Compares the host's processor, as KVM can give it to guests, with a described processor. Without KVM it is
 * unknown, and no processor is compatible. Throws "usage" for a model or feature unknown to QEMU, and as
 * askOnce(). qemuConnectCompareCPU() of libvirt
 */
export async function compareHostCpu(instance: Instance, description: CpuDescription): Promise<Comparison> {
  if (fastestType(instance) !== "kvm") return { is: "incompatible", why: UNKNOWN_HOST };
  return compareCpu(description, await getCpuModels(instance, DEFAULT_EMULATOR, "kvm"));
}

/**
 * Compares QEMU's best processor for guests of a kind with a described processor. Throws as compareHostCpu(),
 * and "usage", "unsupported" or "not-found" for a kind missing in the installed QEMU.
 * qemuConnectCompareHypervisorCPU() of libvirt
 */
export async function compareGuestCpu(
  instance: Instance,
  kind: GuestKind,
  description: CpuDescription,
): Promise<Comparison> {
  const type = await checkKind(instance, kind);
  return compareCpu(description, await getCpuModels(instance, DEFAULT_EMULATOR, type));
}

/**
 * Reads the processors that a client describes, with turns for other work between them: hundreds take
 * seconds. Throws "xml" and "unsupported".
 */
export async function readCpus(
  { host }: Instance,
  xmls: readonly string[],
): Promise<readonly CpuDescription[]> {
  const documents = xmls.map((xml) => new TextEncoder().encode(xml));
  refuseTooLong(documents);
  const cpus: CpuDescription[] = [];
  for (const document of documents) {
    if (cpus.length > 0) await host.sleep(0);
    cpus.push(parseCpuDescription(document));
  }
  return cpus;
}

/** Throws "failed" for incompatible processors. VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE of libvirt */
export function refuseIncompatible(comparison: Comparison): void {
  if (comparison.is !== "incompatible") return;
  throw new SvirtError(`the CPU is incompatible with host CPU: ${comparison.why}`, {
    kind: "failed",
    libvirt: "CPU_INCOMPATIBLE",
    remedy:
      comparison.why === UNKNOWN_HOST
        ? "Compare with the processor that QEMU emulates: svirt hypervisor-cpu-compare"
        : "Compute a processor that fits both: svirt cpu-baseline",
  });
}

/**
 * Returns the processor with all features shared by the described processors. Throws "failed" if they have
 * none in common, "usage" for a model or feature unknown to QEMU, and as askOnce(). qemuConnectBaselineCPU()
 * of libvirt
 */
export async function baselineHostCpu(
  instance: Instance,
  descriptions: readonly CpuDescription[],
  options: BaselineOptions,
): Promise<Baseline> {
  const models = await getCpuModels(instance, DEFAULT_EMULATOR, fastestType(instance));
  const cpu = baselineCpu(descriptions, models, { ...options, isForHost: false });
  return present(options.isExpanded ? expandCpu(cpu, models) : cpu, "allow");
}

/**
 * Returns the processor with all features shared by the described processors and possible in QEMU's guests of
 * a kind. Throws as baselineHostCpu() and compareGuestCpu(). qemuConnectBaselineHypervisorCPU() of libvirt
 */
export async function baselineGuestCpu(
  instance: Instance,
  kind: GuestKind,
  { descriptions, ...options }: BaselineOptions & { readonly descriptions: readonly CpuDescription[] },
): Promise<Baseline> {
  const type = await checkKind(instance, kind);
  const models = await getCpuModels(instance, DEFAULT_EMULATOR, type);
  const cpu = baselineCpu(descriptions, models, { ...options, isForHost: true });
  return present(options.isExpanded ? expandCpu(cpu, models) : cpu, "forbid");
}

function present(cpu: NamedCpu, fallback: "allow" | "forbid"): Baseline {
  return { cpu, xml: formatDocument(formatNamedCpu(cpu, fallback)) };
}

/** Returns the type of the guests, by default the faster type. */
async function checkKind(
  instance: Instance,
  { arch, emulator = DEFAULT_EMULATOR, machine, type = fastestType(instance) }: GuestKind,
): Promise<"kvm" | "qemu"> {
  checkArch(arch, emulator);
  if (emulator !== DEFAULT_EMULATOR) {
    throw new SvirtError(`Cannot query the processors of ${emulator}: it is not the installed emulator`, {
      kind: "usage",
      remedy: `Name ${DEFAULT_EMULATOR}, or none.`,
    });
  }
  // The answers of this boot may be cached from a time with KVM. virQEMUCapsCacheLookupDefault() of libvirt
  if (type === "kvm" && fastestType(instance) !== "kvm") {
    throw new SvirtError(`invalid argument: KVM is not supported by '${emulator}' on this host`, {
      kind: "usage",
      remedy: "Name the type qemu, or load the module of KVM.",
    });
  }
  const facts = await getEmulatorFacts(instance, emulator, type);
  findBoard(facts, emulator, machine);
  return type;
}
