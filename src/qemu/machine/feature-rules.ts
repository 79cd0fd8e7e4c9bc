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
      "KVM translates no code",
      "Leave it out, or write <domain type='qemu'>.",
    ],
    [
      features?.kvm?.hintDedicated?.state === true && cpu?.mode !== "host-passthrough",
      "features/kvm/hint-dedicated",
      "only the host's own processor can be the guest's alone",
      "Write <cpu mode='host-passthrough'/>, or leave it out.",
    ],
    [
      isOff && devices.inputs.some((input) => "bus" in input && input.bus === "ps2"),
      "features/ps2",
      "there are devices on PS/2",
      "Remove them, or leave it out.",
    ],
    [
      isOff && features.vmport?.state === true,
      "features/vmport",
      "it needs the controller of PS/2",
      "Write state='off', or leave <ps2> out.",
    ],
  ] as const;
  for (const [isBroken, place, why, remedy] of problems) {
    if (isBroken) throw cannotTranslate(`/domain/${place}`, why, remedy);
  }
}
