import type { Cpu } from "../domain/cpu.ts";
import type { Domain } from "../domain/domain.ts";
import { timerOf } from "./clock-words.ts";
import type { Guest } from "./guest.ts";
import type { Launch } from "./launch.ts";
import { cannotTranslate, refuseUnproven } from "./refusal.ts";
import { onOffWord, type Words } from "./words.ts";

/** What QEMU takes where the XML says nothing; the reference names it too. */
const DEFAULT_MODEL = "qemu64";

/**
 * Models out of which QEMU took features that the reference knows: it names these again as `mpx=off` and the like. The
 * processor is the same without that; but then the words are not.
 */
const REDUCED = /^(?:Skylake|Cascadelake|Cooperlake|Icelake|Snowridge|SapphireRapids|EPYC|Dhyana)/;

/** -cpu: the model, its features, and the clock that KVM gives to the guest. qemuBuildCpuCommandLine() of libvirt */
export function formatCpu({ domain }: Guest, launch: Launch | undefined): Words {
  const { cpu } = domain;
  const model = formatModel(domain, cpu);
  if (REDUCED.test(model)) refuseUnproven(launch, "/domain/cpu/model", `a ${model}`);
  if (cpu?.mode === "maximum") refuseUnproven(launch, "/domain/cpu/@mode", "mode='maximum'");
  const features = (cpu?.features ?? []).map(
    ({ name, policy }, index) => `${featureWord(name, index)}=${onOffWord(policy !== "disable")}`,
  );
  return ["-cpu", [model, ...features, ...kvmclock(domain), ...crashWord(domain)].join(",")];
}

/** QEMU's spelling of libvirt's name. virQEMUCapsCPUFeatureTranslate() of libvirt */
function featureWord(name: string, index: number): string {
  if (name === "pclmuldq") return "pclmulqdq";
  if (name !== "pconfig") return name.replaceAll("_", "-");
  const path = `/domain/cpu/feature[${index + 1}]`;
  throw cannotTranslate(path, `QEMU has no feature ${name} any more`, "Leave it out.");
}

function formatModel(domain: Domain, cpu: Cpu | undefined): string {
  if (cpu === undefined) return DEFAULT_MODEL;
  switch (cpu.mode) {
    case "custom":
      return cpu.model?.name ?? DEFAULT_MODEL;
    case "host-passthrough":
      if (domain.type !== "kvm") {
        const why = "an emulated processor cannot be the host's";
        throw cannotTranslate("/domain/cpu/@mode", why, "Write mode='maximum', or <domain type='kvm'>.");
      }
      return `host,migratable=${onOffWord(cpu.migratable ?? true)}`;
    case "maximum":
      return `max${cpu.migratable === undefined ? "" : `,migratable=${onOffWord(cpu.migratable)}`}`;
  }
}

/** Hyper-V's way to tell of a crash is a part of the processor. */
function crashWord({ devices }: Domain): readonly string[] {
  return devices.panics.some((panic) => panic.model === "hyperv") ? ["hv-crash"] : [];
}

function kvmclock(domain: Domain): readonly string[] {
  const present = timerOf(domain, "kvmclock")?.present;
  return present === undefined ? [] : [`kvmclock=${onOffWord(present)}`];
}
