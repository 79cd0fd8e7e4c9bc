import type { Domain } from "../../domain/domain.ts";
import type { Cpu } from "../../domain/machine/cpu.ts";
import { type Arguments, onOffWord } from "../argument/argument.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, hostDependent } from "../refusal.ts";
import { listCpuFlags } from "./cpu-flags.ts";
import { removedFeatures, UNKNOWN_FEATURES } from "./removed-features.ts";

/** QEMU's default model, which libvirt writes out. */
const DEFAULT_MODEL = "qemu64";

/**
 * Formats -cpu: the model, its features, and other properties of the processor. qemuBuildCpuCommandLine() of
 * libvirt
 */
export function formatCpu({ domain }: Guest): Arguments {
  const { cpu } = domain;
  const model = formatModel(domain, cpu);
  const written = cpu?.features ?? [];
  const features = written.flatMap((feature, index) =>
    isImplied(feature) ? [] : [formatFeature(feature, index)],
  );
  const removed = removedFeatures(model)
    .filter((name) => !written.some((feature) => feature.name === name))
    .map((name) => `${name}=off`);
  const flags = listCpuFlags(domain);
  return ["-cpu", [model, ...vendorWord(cpu), ...features, ...removed, ...flags].join(",")];
}

type Feature = Cpu["features"][number];

/**
 * Features that QEMU does not know are absent from every guest. Policies other than require and force
 * therefore need no argument. virCPUUpdate() and qemuProcessDropUnknownCPUFeatures() of libvirt
 */
function isImplied({ name, policy }: Feature): boolean {
  return UNKNOWN_FEATURES.has(name) && policy !== undefined && !["require", "force"].includes(policy);
}

function formatFeature({ name, policy = "require" }: Feature, index: number): string {
  if (policy === "optional") {
    const why = "it depends on the host's processor";
    throw hostDependent(`/domain/cpu/feature[${index + 1}]/@policy`, why, "Write require or disable.");
  }
  return `${featureWord(name, index)}=${onOffWord(policy === "force" || policy === "require")}`;
}

function vendorWord(cpu: Cpu | undefined): readonly string[] {
  const vendor = cpu?.mode === "custom" ? cpu.model?.vendorId : undefined;
  return vendor === undefined ? [] : [`vendor=${vendor}`];
}

/** Returns QEMU's spelling of libvirt's name. virQEMUCapsCPUFeatureTranslate() of libvirt */
function featureWord(name: string, index: number): string {
  if (name === "pclmuldq") return "pclmulqdq";
  if (!UNKNOWN_FEATURES.has(name)) return name.replaceAll("_", "-");
  const path = `/domain/cpu/feature[${index + 1}]`;
  throw cannotTranslate(path, `QEMU does not have the feature ${name}`, "Leave it out.");
}

function formatModel(domain: Domain, cpu: Cpu | undefined): string {
  if (cpu === undefined) return DEFAULT_MODEL;
  switch (cpu.mode) {
    case "custom":
      if (cpu.match === "minimum") {
        const why = "it depends on the features of the host's processor";
        throw hostDependent("/domain/cpu/@match", why, "Write match='exact'.");
      }
      return cpu.model?.name ?? DEFAULT_MODEL;
    case "host-model": {
      const why = "svirt does not derive a model from the host's processor yet";
      throw hostDependent("/domain/cpu/@mode", why, "Write a model, or mode='host-passthrough'.");
    }
    case "host-passthrough":
      if (domain.type !== "kvm") {
        const why = "an emulated guest cannot have the host's processor";
        throw cannotTranslate("/domain/cpu/@mode", why, "Write mode='maximum', or <domain type='kvm'>.");
      }
      return `host,migratable=${onOffWord(cpu.migratable ?? true)}`;
    case "maximum":
      return `max${cpu.migratable === undefined ? "" : `,migratable=${onOffWord(cpu.migratable)}`}`;
  }
}
