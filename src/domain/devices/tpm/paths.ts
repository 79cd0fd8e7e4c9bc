import type { Tpm } from "./tpm.ts";

/** The node of a TPM that is passed through. VIR_DOMAIN_TPM_DEFAULT_DEVICE of libvirt */
export function tpmDevice({ backend }: Tpm): string | undefined {
  return backend.type === "passthrough" ? (backend.device?.path ?? "/dev/tpm0") : undefined;
}

/** What a command to it is cancelled by; a TPM 2.0 has no such file. virTPMCreateCancelPath() of libvirt */
export function cancelPath(device: string): string {
  return `/sys/class/tpm/${device.slice(device.lastIndexOf("/") + 1)}/device/cancel`;
}
