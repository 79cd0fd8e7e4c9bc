import type { Cpu } from "../domain/cpu.ts";
import type { Domain } from "../domain/domain.ts";
import { timerOf } from "./clock-words.ts";
import type { Guest } from "./guest.ts";
import { cannotTranslate } from "./refusal.ts";
import { onOffWord, type Words } from "./words.ts";

/** What QEMU takes where the XML says nothing; the reference names it too. */
const DEFAULT_MODEL = "qemu64";

/** -cpu: the model, its features, and the clock that KVM gives to the guest. qemuBuildCpuCommandLine() of libvirt */
export function formatCpu({ domain }: Guest): Words {
  const { cpu } = domain;
  const features = cpu?.features ?? [];
  const words = [
    formatModel(domain, cpu),
    ...features.map(({ name, policy }) => `${name}=${onOffWord(policy !== "disable")}`),
    ...kvmclock(domain),
  ];
  return ["-cpu", words.join(",")];
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

function kvmclock(domain: Domain): readonly string[] {
  const present = timerOf(domain, "kvmclock")?.present;
  return present === undefined ? [] : [`kvmclock=${onOffWord(present)}`];
}
