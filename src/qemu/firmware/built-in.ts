/** What a firmware can do, in the words of its description. qemu.git docs/interop/firmware.json, FirmwareFeature */
export type FirmwareFeature =
  | "acpi-s3"
  | "acpi-s4"
  | "amd-sev"
  | "amd-sev-es"
  | "amd-sev-snp"
  | "enrolled-keys"
  | "requires-smm"
  | "secure-boot";

/** One firmware: its files, what it can do and where it runs. qemu.git docs/interop/firmware.json */
export interface FirmwareDescriptor {
  readonly interfaces: readonly ("uefi" | "bios")[];
  /** In flash with its variables beside it, in flash with or without any in the same file, or loaded as a ROM. */
  readonly mode: "split" | "combined" | "stateless" | "rom";
  readonly format: "raw" | "qcow2";
  readonly path: string;
  /** Where new variables are copied from. */
  readonly template?: { readonly path: string; readonly format: "raw" | "qcow2" };
  readonly features: readonly FirmwareFeature[];
  /** Boards that it runs on, as QEMU calls them, with wildcards. */
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
 * The firmware of the packages edk2-ovmf and seabios, the first of two that fit the better one. A translation reads
 * nothing of the host, so these stand for what its /usr/share/qemu/firmware would say (docs/decisions/xml.md).
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

/** Pairs of code and variables from before there were descriptors. LOADER_NVRAM in qemu_conf.c of libvirt */
export const LEGACY_TEMPLATES: ReadonlyMap<string, string> = new Map([
  ["/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"],
  ["/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.fd"],
]);
