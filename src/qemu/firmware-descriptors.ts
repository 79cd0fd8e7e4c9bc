/** One firmware: its files, what it can do and where it runs. qemu.git docs/interop/firmware.json */
export interface FirmwareDescriptor {
  readonly interface: "uefi" | "bios";
  /** In flash with its variables beside it, in flash without any, or loaded as a ROM. */
  readonly mode: "split" | "stateless" | "rom";
  readonly format: "raw" | "qcow2";
  readonly path: string;
  /** Where new variables are copied from, in the same format. */
  readonly template?: string;
  readonly secureBoot: boolean;
  readonly enrolledKeys: boolean;
  /** Boards that it runs on. */
  readonly chipsets: readonly ("i440fx" | "q35")[];
}

const EDK2 = "/usr/share/edk2/ovmf";
const PC = ["i440fx", "q35"] as const;

/** With Secure Boot OVMF needs SMM, which only q35 has. */
function secureOvmf(version: string, suffix: "fd" | "qcow2", keys: boolean): FirmwareDescriptor {
  return {
    interface: "uefi",
    mode: "split",
    format: suffix === "fd" ? "raw" : "qcow2",
    path: `${EDK2}/OVMF_CODE${version}.secboot.${suffix}`,
    template: `${EDK2}/OVMF_VARS${version}${keys ? ".secboot" : ""}.${suffix}`,
    secureBoot: true,
    enrolledKeys: keys,
    chipsets: ["q35"],
  };
}

function plainOvmf(version: string, suffix: "fd" | "qcow2"): FirmwareDescriptor {
  return {
    interface: "uefi",
    mode: "split",
    format: suffix === "fd" ? "raw" : "qcow2",
    path: `${EDK2}/OVMF_CODE${version}.${suffix}`,
    template: `${EDK2}/OVMF_VARS${version}.${suffix}`,
    secureBoot: false,
    enrolledKeys: false,
    chipsets: PC,
  };
}

/**
 * The firmware of the packages edk2-ovmf and seabios, the first of two that fit the better one. A translation reads
 * nothing of the host, so these stand for what its /usr/share/qemu/firmware would say (docs/decisions.md).
 */
export const FIRMWARES: readonly FirmwareDescriptor[] = [
  secureOvmf("_4M", "qcow2", true),
  secureOvmf("", "fd", true),
  secureOvmf("_4M", "qcow2", false),
  secureOvmf("", "fd", false),
  plainOvmf("_4M", "qcow2"),
  plainOvmf("", "fd"),
  {
    interface: "uefi",
    mode: "stateless",
    format: "raw",
    path: `${EDK2}/OVMF.amdsev.fd`,
    secureBoot: false,
    enrolledKeys: false,
    chipsets: ["q35"],
  },
  {
    interface: "bios",
    mode: "rom",
    format: "raw",
    path: "/usr/share/seabios/bios-256k.bin",
    secureBoot: false,
    enrolledKeys: false,
    chipsets: PC,
  },
];

/** Pairs of code and variables from before there were descriptors. LOADER_NVRAM in qemu_conf.c of libvirt */
export const LEGACY_TEMPLATES: ReadonlyMap<string, string> = new Map([
  ["/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"],
  ["/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.fd"],
]);
