import { unlessWorkRefused } from "../../errors.ts";
import type { ModelDescription } from "../../label/label-model.ts";
import { type NamedCpu, nameCpu } from "../../qemu/cpu-model/baseline.ts";
import { DEFAULT_EMULATOR } from "../../qemu/default-devices.ts";
import type { EmulatorFacts } from "../../qemu/monitor/emulator-facts.ts";
import {
  type Capabilities,
  formatCapabilities,
  getCapabilities,
  getSecurityModel,
} from "../../report/capabilities.ts";
import type { Instance } from "../../state/instance.ts";
import { checkArch } from "./check-arch.ts";
import { formatDomainCapabilities, limitVcpus, namedModels } from "./domain-capabilities.ts";
import { getCpuModels, getEmulatorFacts } from "./emulator.ts";

/** Capabilities of the host and its security models, and libvirt's `<capabilities>`. */
export interface HostCapabilities {
  readonly capabilities: Capabilities;
  readonly xml: string;
}

/** Capabilities of a kind of guest, and libvirt's `<domainCapabilities>`. */
export interface DomainCapabilities {
  readonly emulator: string;
  readonly type: "kvm" | "qemu";
  readonly facts: EmulatorFacts;
  readonly xml: string;
}

/** Returns the capabilities of the host. Throws "failed" if a policy is loaded that does not know guests. */
export async function getHostCapabilities(instance: Instance): Promise<HostCapabilities> {
  // A host without QEMU still has a security model and devices.
  const facts = await unlessWorkRefused(
    async () => await getEmulatorFacts(instance, DEFAULT_EMULATOR, fastestType(instance)),
  );
  const cpu = facts && (await unlessWorkRefused(async () => await nameHostCpu(instance)));
  const capabilities = getCapabilities(instance.host, facts?.machines, cpu);
  return { capabilities, xml: formatCapabilities(capabilities) };
}

/** Returns the security model of the host. Throws as getHostCapabilities(). */
export function getHostSecurityModel({ host }: Instance): ModelDescription {
  return getSecurityModel(host);
}

/**
 * Lists the emulator's models of processors, by their names. Throws "usage" for an architecture unknown to
 * libvirt, "unsupported" for any but the host's, and as getEmulatorFacts().
 */
export async function listCpuModels(instance: Instance, arch: string): Promise<readonly string[]> {
  checkArch(arch);
  const { cpus } = await getEmulatorFacts(instance, DEFAULT_EMULATOR, fastestType(instance));
  return namedModels(cpus).map(({ name }) => name);
}

/**
 * Returns the capabilities of guests of an emulator, by default of the installed emulator. Throws "not-found"
 * for an unknown machine type or emulator, "failed" if the emulator does not answer.
 */
export async function getDomainCapabilities(
  instance: Instance,
  kind: {
    readonly emulator: string | undefined;
    readonly type: "kvm" | "qemu" | undefined;
    readonly machine: string | undefined;
  },
): Promise<DomainCapabilities> {
  const { emulator = DEFAULT_EMULATOR, machine, type = fastestType(instance) } = kind;
  const facts = await getEmulatorFacts(instance, emulator, type);
  return {
    emulator,
    type,
    facts,
    xml: formatDomainCapabilities(instance, { emulator, type, machine }, facts),
  };
}

/**
 * Returns the highest number of virtual CPUs that a machine type of the installed emulator accepts. Throws as
 * getEmulatorFacts() does.
 */
export async function getMostVcpus(instance: Instance, type: "kvm" | "qemu" | undefined): Promise<number> {
  const chosen = type ?? fastestType(instance);
  const { machines } = await getEmulatorFacts(instance, DEFAULT_EMULATOR, chosen);
  return limitVcpus(instance, chosen, Math.max(...machines.map(({ mostCpus }) => mostCpus)));
}

/**
 * Returns the host's processor as KVM can give it to guests, by a model; undefined without KVM. Throws as
 * getCpuModels().
 */
async function nameHostCpu(instance: Instance): Promise<NamedCpu | undefined> {
  if (fastestType(instance) !== "kvm") return undefined;
  const models = await getCpuModels(instance, DEFAULT_EMULATOR, "kvm");
  const { features, vendor } = models.best;
  return nameCpu(models, { features: new Set(features), vendor, isWritten: true });
}

/** Returns the host's faster type of guests. */
export function fastestType({ host }: Instance): "kvm" | "qemu" {
  return host.inspectFile("/dev/kvm")?.type === "character" ? "kvm" : "qemu";
}
