import type { Tpm } from "./tpm.ts";

/**
 * Returns the device node of a passed-through TPM; undefined for another backend.
 * VIR_DOMAIN_TPM_DEFAULT_DEVICE of libvirt
 */
export function tpmDevice({ backend }: Tpm): string | undefined {
  return backend.type === "passthrough" ? (backend.device?.path ?? "/dev/tpm0") : undefined;
}

/**
 * Returns the path of the file that cancels a TPM command; a TPM 2.0 has none. virTPMCreateCancelPath() of
 * libvirt
 */
export function cancelPath(device: string): string {
  return `/sys/class/tpm/${device.slice(device.lastIndexOf("/") + 1)}/device/cancel`;
}
