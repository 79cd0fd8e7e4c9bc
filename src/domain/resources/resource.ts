import type { ImageFormat, Slice } from "../forms/source/disk.ts";
import type { PortKind } from "../ports.ts";

/** How QEMU opens a resource. */
export type Access = "read-only" | "read-write";

/** An image of a disk or below one, as the XML gives it. */
export interface ImageFile {
  readonly path: string;
  readonly source: "file" | "block";
  /** `undefined`: the XML names none, which means raw; contents are never asked. */
  readonly format: ImageFormat | undefined;
  readonly override: LabelOverride | undefined;
  /** `undefined`: the whole file is the image. */
  readonly slice?: Slice | undefined;
  /** Where its data are; `undefined`: its header says whether they are elsewhere. */
  readonly dataFile?: Omit<ImageFile, "format" | "dataFile"> | undefined;
}

/** What the XML asks for instead of the label that a rule would give. */
export type LabelOverride = { readonly relabel: "no" } | { readonly relabel: "yes"; readonly label: string };

/** A device node that the XML names, and that QEMU uses as such. */
export interface NodeResource {
  readonly kind: "input-device" | "usb-device" | "vhost-scsi" | "tpm-device" | "sgx-device";
  readonly path: string;
  readonly access: "read-write";
}

/** One host path or device that QEMU opens, and how. A switch on `kind` is exhaustive. */
export type Resource =
  | (ImageFile & {
      readonly kind: "disk";
      readonly target: string;
      readonly access: Access;
      readonly shareable: boolean;
      readonly backing: readonly ImageFile[];
      /** Where the chain goes on after `backing`: nowhere, or where the last image's header says. */
      readonly below: "nothing" | "as-probed";
    })
  /** A boot file is anything else that the guest's firmware reads: ACPI tables, values of fw_cfg, shim, device tree. */
  | {
      readonly kind: "kernel" | "initrd" | "boot-file";
      readonly path: string;
      readonly access: "read-only";
    }
  /** With all that is below it. QEMU itself serves it, or virtiofsd does. */
  | {
      readonly kind: "shared-folder";
      readonly path: string;
      readonly access: Access;
      readonly by: "qemu" | "virtiofsd";
    }
  /** Memory of the guest that outlives it, perhaps for others too; with a size it is made if it is not there. */
  | {
      readonly kind: "memory-file";
      readonly path: string;
      readonly access: "read-write";
      readonly sizeKiB?: number;
      readonly shareable?: true;
    }
  | NodeResource
  | { readonly kind: "tpm-cancel"; readonly path: string; readonly access: "read-write" }
  /** By its folder in sysfs: nothing but the host knows its node. */
  | {
      readonly kind: "scsi-device";
      readonly path: string;
      readonly access: Access;
      readonly shareable: boolean;
    }
  /** By its folder in sysfs. Managed: svirt takes it from its driver, and gives it back. */
  | { readonly kind: "vfio-device"; readonly path: string; readonly isManaged: boolean }
  | FirmwareFile
  /** Read by svirt, not by QEMU. */
  | { readonly kind: "nvram-template"; readonly path: string; readonly access: "read-only" }
  | ChardevResource
  | PeerSocket
  /** One that QEMU makes in its own folder, for another program to find there. */
  | { readonly kind: "guest-socket"; readonly path: string; readonly interface: number }
  | {
      readonly kind: "unopened";
      readonly path: string;
      readonly place: string;
      readonly within: string;
    }
  | { readonly kind: "vnc-socket"; readonly path: string; readonly mode: "bind" }
  | { readonly kind: "random-device"; readonly path: string; readonly access: "read-only" }
  /** What a start cannot label and open yet, and so refuses. */
  | { readonly kind: "host-file"; readonly path: string; readonly access: Access }
  | { readonly kind: "host-device"; readonly path: string }
  | { readonly kind: "host-socket"; readonly path: string; readonly mode: "bind" | "connect" };

type Format = "raw" | "qcow2";

/** A file of the firmware that the XML names: its code, or where it keeps its variables. */
export type FirmwareFile =
  | {
      readonly kind: "loader";
      readonly path: string;
      readonly format: Format;
      readonly access: Access;
      /** A ROM is read by name; flash is a block device. */
      readonly type: "rom" | "pflash";
    }
  | {
      readonly kind: "nvram";
      readonly path: string;
      readonly format: Format;
      readonly access: "read-write";
      readonly storage: "file" | "block";
      /** What the variables are at first, if the file is not there yet. */
      readonly template: { readonly path: string; readonly format: Format } | undefined;
      readonly override: LabelOverride | undefined;
    };

interface Chardev {
  readonly device: PortKind;
  readonly path: string;
  readonly override: LabelOverride | undefined;
}

/** What a character device is connected to on the host. */
export type ChardevResource =
  | (Chardev & {
      readonly kind: "chardev-file" | "chardev-log";
      readonly access: "read-write";
      readonly append: boolean;
    })
  | (Chardev & { readonly kind: "chardev-device" | "chardev-pipe"; readonly access: "read-write" })
  /** One at which the guest is to be reached: what it connects to is a peer's. */
  | (Chardev & { readonly kind: "chardev-socket" });

/** A Unix socket at which another program of the host's serves a device of the guest's. */
export interface PeerSocket {
  readonly kind: "peer-socket";
  /** The device's element: each has a connection of its own. */
  readonly place: string;
  readonly path: string;
  /** Whether other guests may be served there at the same time. */
  readonly sharing: "exclusive" | "shared";
  readonly override: LabelOverride | undefined;
}
