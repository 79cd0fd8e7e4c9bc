/**
 * Features of a firmware, by the names in its descriptor. qemu.git docs/interop/firmware.json,
 * FirmwareFeature
 */
export type FirmwareFeature =
  | "acpi-s3"
  | "acpi-s4"
  | "amd-sev"
  | "amd-sev-es"
  | "amd-sev-snp"
  | "enrolled-keys"
  | "requires-smm"
  | "secure-boot";

/** A firmware: its files, its features and its machines. qemu.git docs/interop/firmware.json */
export interface FirmwareDescriptor {
  readonly interfaces: readonly ("uefi" | "bios")[];
  /** Flash with variables in a second file, with them in the same file, or without any; or a ROM. */
  readonly mode: "split" | "combined" | "stateless" | "rom";
  readonly format: "raw" | "qcow2";
  readonly path: string;
  /** Template of new variables. */
  readonly template?: { readonly path: string; readonly format: "raw" | "qcow2" };
  readonly features: readonly FirmwareFeature[];
  /** Supported machines, by QEMU's names, with wildcards. */
  readonly machines: readonly string[];
}

const EDK2 = "/usr/share/edk2/ovmf";
const Q35 = ["pc-q35-*"] as const;
const PC = ["pc-i440fx-*", ...Q35] as const;

/** With Secure Boot OVMF needs SMM, which only q35 has. */
function secureOvmf(version: string, suffix: "fd" | "qcow2", keys: boolean): FirmwareDescriptor {
  const format = suffix === "fd" ? "raw" : "qcow2";
  return {
    interfaces: ["uefi"],
    mode: "split",
    format,
    path: `${EDK2}/OVMF_CODE${version}.secboot.${suffix}`,
    template: { path: `${EDK2}/OVMF_VARS${version}${keys ? ".secboot" : ""}.${suffix}`, format },
    features: ["acpi-s3", "requires-smm", "secure-boot", ...(keys ? (["enrolled-keys"] as const) : [])],
    machines: Q35,
  };
}

function plainOvmf(version: string, suffix: "fd" | "qcow2"): FirmwareDescriptor {
  const format = suffix === "fd" ? "raw" : "qcow2";
  return {
    interfaces: ["uefi"],
    mode: "split",
    format,
    path: `${EDK2}/OVMF_CODE${version}.${suffix}`,
    template: { path: `${EDK2}/OVMF_VARS${version}.${suffix}`, format },
    features: ["acpi-s3", "amd-sev", "amd-sev-es"],
    machines: PC,
  };
}

/**
 * The firmware of the packages edk2-ovmf and seabios; of two fitting files, the better is first. A
 * translation reads no file of the host: these stand for its /usr/share/qemu/firmware
 * (docs/decisions/xml.md).
 */
export const FIRMWARES: readonly FirmwareDescriptor[] = [
  secureOvmf("_4M", "qcow2", true),
  secureOvmf("", "fd", true),
  secureOvmf("_4M", "qcow2", false),
  secureOvmf("", "fd", false),
  plainOvmf("_4M", "qcow2"),
  plainOvmf("", "fd"),
  {
    interfaces: ["uefi"],
    mode: "stateless",
    format: "raw",
    path: `${EDK2}/OVMF.amdsev.fd`,
    features: ["amd-sev", "amd-sev-es", "amd-sev-snp"],
    machines: Q35,
  },
  {
    interfaces: ["bios"],
    mode: "rom",
    format: "raw",
    path: "/usr/share/seabios/bios-256k.bin",
    features: ["acpi-s3", "acpi-s4"],
    machines: PC,
  },
];

/** Pairs of code and variables from before descriptors existed. LOADER_NVRAM in qemu_conf.c of libvirt */
export const LEGACY_TEMPLATES: ReadonlyMap<string, string> = new Map([
  ["/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"],
  ["/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.fd"],
]);
