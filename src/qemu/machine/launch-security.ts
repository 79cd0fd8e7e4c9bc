import { type Arguments, jsonArguments } from "../argument/argument.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, hostDependent } from "../refusal.ts";

/**
 * Formats -object for the encryption of the guest's memory by the processor. qemuBuildSecCommandLine() of
 * libvirt
 */
export function formatLaunchSecurity({ domain }: Guest): Arguments {
  const { launchSecurity: security, name } = domain;
  if (security === undefined) return [];
  if (domain.type !== "kvm") {
    const remedy = "Write <domain type='kvm'>, or leave it out.";
    throw cannotTranslate("/domain/launchSecurity", "an emulated processor cannot encrypt memory", remedy);
  }
  const { cbitpos, reducedPhysBits } = security;
  if (cbitpos === undefined || reducedPhysBits === undefined) {
    const why = "the position of the C-bit depends on the host's processor";
    throw hostDependent("/domain/launchSecurity", why, "Write <cbitpos> and <reducedPhysBits>.");
  }
  const folder = `/var/lib/libvirt/qemu/domain--1-${[...name].slice(0, 20).join("")}`;
  const place = { cbitpos, "reduced-phys-bits": reducedPhysBits, "kernel-hashes": security.kernelHashes };
  if (security.type === "sev") {
    return jsonArguments("-object", {
      "qom-type": "sev-guest",
      id: "lsec0",
      ...place,
      policy: security.policy,
      "dh-cert-file": security.dhCert === undefined ? undefined : `${folder}/dh_cert.base64`,
      "session-file": security.session === undefined ? undefined : `${folder}/session.base64`,
    });
  }
  return jsonArguments("-object", {
    "qom-type": "sev-snp-guest",
    id: "lsec0",
    ...place,
    policy: security.policy,
    "guest-visible-workarounds": security.guestVisibleWorkarounds,
    "id-block": security.idBlock,
    "id-auth": security.idAuth,
    "host-data": security.hostData,
    "author-key-enabled": security.authorKey,
    "vcek-disabled": security.vcek === undefined ? undefined : !security.vcek,
  });
}
