import type { LabelModelName } from "../../domain/forms/label-model.ts";
import type { DomainState } from "../../qemu/monitor/status.ts";
import { hostModel } from "../../report/label-models.ts";
import { isAutostarted } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { hasManagedSave } from "../../state/managed-save.ts";
import { formOf } from "../guest/domain-form.ts";
import { findDomain } from "../guest/find-domain.ts";
import { getGuestMemory } from "./guest-state.ts";

/** Facts about a domain, as libvirt's virDomainGetInfo() and virDomainGetSecurityLabel() return them. */
export interface DomainFacts {
  /** Undefined if the domain is off. */
  readonly id: number | undefined;
  readonly name: string;
  readonly uuid: string;
  readonly state: DomainState["state"];
  readonly vcpus: number;
  readonly cpuTimeSeconds: number | undefined;
  readonly maxMemoryKiB: number;
  /** Memory left to a running guest by its balloon, or the definition's. */
  readonly usedMemoryKiB: number;
  readonly persistent: boolean;
  readonly autostart: boolean;
  /** Whether it starts at the next boot, whatever `autostart` says. */
  readonly autostartOnce: boolean;
  readonly managedSave: boolean;
  /** Labelling model of the guest. Of an inactive domain, the model of its next start, as in virsh. */
  readonly securityModel: LabelModelName;
  /** Undefined if the domain is off or not confined. */
  readonly securityLabel: string | undefined;
  /** Undefined if the domain is off. */
  readonly enforcing: boolean | undefined;
}

/** Returns the facts about a domain. Throws "not-found". */
export async function getDomainFacts(instance: Instance, key: string): Promise<DomainFacts> {
  const found = findDomain(instance, key);
  const { definition, guest, name, uuid } = found;
  const domain = formOf(instance, found, "running");
  const asked = guest === undefined ? undefined : await getGuestMemory(instance, guest);
  const defined = domain.currentMemoryKiB ?? domain.memory.kiB;
  return {
    id: guest?.id,
    name,
    uuid,
    state: asked?.state ?? "shut off",
    vcpus: domain.vcpu?.current ?? domain.vcpu?.count ?? 1,
    cpuTimeSeconds: guest?.process === undefined ? undefined : instance.host.getCpuSeconds(guest.process.pid),
    maxMemoryKiB: domain.memory.kiB,
    usedMemoryKiB: Math.min(asked?.usedMemoryKiB ?? defined, domain.memory.kiB),
    persistent: definition !== undefined,
    autostart: isAutostarted(instance, name),
    autostartOnce: isAutostarted(instance, name, "once"),
    managedSave: hasManagedSave(instance, name),
    securityModel: guest?.label.model ?? hostModel(instance.host).name,
    securityLabel: guest?.label.label,
    enforcing: guest === undefined ? undefined : instance.host.getSelinux().mode === "enforcing",
  };
}
