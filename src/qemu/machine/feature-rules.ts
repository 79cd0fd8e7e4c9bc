import type { Guest } from "../model/guest.ts";
import { cannotTranslate } from "../refusal.ts";

/** Throws "unsupported" for features that contradict the guest. qemuValidateDomainDefFeatures() of libvirt */
export function refuseFeatures({ domain }: Guest): void {
  const { cpu, devices, features, type } = domain;
  const isOff = features?.ps2?.state === false;
  const problems = [
    [
      type === "kvm" && features?.tcg !== undefined,
      "features/tcg",
      "KVM does not translate code",
      "Leave it out, or write <domain type='qemu'>.",
    ],
    [
      features?.kvm?.hintDedicated?.state === true && cpu?.mode !== "host-passthrough",
      "features/kvm/hint-dedicated",
      "hint-dedicated requires the host's processor model",
      "Write <cpu mode='host-passthrough'/>, or leave it out.",
    ],
    [
      isOff && devices.inputs.some((input) => "bus" in input && input.bus === "ps2"),
      "features/ps2",
      "the guest has PS/2 devices",
      "Remove these devices, or leave it out.",
    ],
    [
      isOff && features.vmport?.state === true,
      "features/vmport",
      "it requires the PS/2 controller",
      "Write state='off', or leave <ps2> out.",
    ],
  ] as const;
  for (const [isBroken, place, why, remedy] of problems) {
    if (isBroken) throw cannotTranslate(`/domain/${place}`, why, remedy);
  }
}
