import type { ImageFormat, Slice } from "../forms/source/disk.ts";
import type { PortKind } from "../ports.ts";

/** QEMU's mode of opening a resource. */
export type Access = "read-only" | "read-write";

/** Image of a disk, or a backing image, as the XML describes it. */
export interface ImageFile {
  readonly path: string;
  readonly source: "file" | "block";
  /** `undefined`: the XML names none: raw; the content is never probed. */
  readonly format: ImageFormat | undefined;
  readonly override: LabelOverride | undefined;
  /** `undefined`: the whole file is the image. */
  readonly slice?: Slice | undefined;
  /** Whether the XML names the passphrase of LUKS in it. */
  readonly isEncrypted?: true | undefined;
  /** File of the image's data; `undefined`: the image's header decides about it. */
  readonly dataFile?: Omit<ImageFile, "format" | "dataFile" | "isEncrypted"> | undefined;
}

/** Label requested by the XML instead of the default, or none. */
export type LabelOverride = { readonly relabel: "no" } | { readonly relabel: "yes"; readonly label: string };

/** Device node of the XML, used by QEMU as such. */
export interface NodeResource {
  readonly kind: "input-device" | "usb-device" | "vhost-scsi" | "tpm-device" | "sgx-device";
  readonly path: string;
  readonly access: "read-write";
}

/** Host path or device that QEMU opens, with its mode. A switch on `kind` is exhaustive. */
export type Resource =
  | (ImageFile & {
      readonly kind: "disk";
      readonly target: string;
      readonly access: Access;
      readonly shareable: boolean;
      readonly backing: readonly ImageFile[];
      /** Images below `backing`: none, or the images in the last image's header. */
      readonly below: "nothing" | "as-probed";
    })
  /**
   * A boot file is any other file that the guest's firmware reads: ACPI tables, values of fw_cfg, shim,
   * device tree.
   */
  | {
      readonly kind: "kernel" | "initrd" | "boot-file";
      readonly path: string;
      readonly access: "read-only";
    }
  /** With all files below it. QEMU itself or virtiofsd serves it. */
  | {
      readonly kind: "shared-folder";
      readonly path: string;
      readonly access: Access;
      readonly by: "qemu" | "virtiofsd";
    }
  /**
   * Memory of the guest that outlives it and may be shared. With a size, the file is created if it is
   * missing.
   */
  | {
      readonly kind: "memory-file";
      readonly path: string;
      readonly access: "read-write";
      readonly sizeKiB?: number;
      readonly shareable?: true;
    }
  | NodeResource
  | { readonly kind: "tpm-cancel"; readonly path: string; readonly access: "read-write" }
  /** Folder of the device in sysfs: only the host knows its device node. */
  | {
      readonly kind: "scsi-device";
      readonly path: string;
      readonly access: Access;
      readonly shareable: boolean;
    }
  | VfioDevice
  | FirmwareFile
  /** Read by svirt, not by QEMU. */
  | { readonly kind: "nvram-template"; readonly path: string; readonly access: "read-only" }
  | ChardevResource
  | PeerSocket
  /** Socket that QEMU creates in its own folder, for another program to connect to. */
  | { readonly kind: "guest-socket"; readonly path: string; readonly interface: number }
  | {
      readonly kind: "unopened";
      readonly path: string;
      readonly place: string;
      readonly within: string;
    }
  | { readonly kind: "vnc-socket"; readonly path: string; readonly mode: "bind" }
  | { readonly kind: "random-device"; readonly path: string; readonly access: "read-only" }
  /** Resources not labelled and opened by a start yet, and so refused. */
  | { readonly kind: "host-file"; readonly path: string; readonly access: Access }
  | { readonly kind: "host-device"; readonly path: string }
  | { readonly kind: "host-socket"; readonly path: string; readonly mode: "bind" | "connect" };

type Format = "raw" | "qcow2";

/** Folder of the device in sysfs. Managed: svirt detaches it from its driver, and reattaches it. */
export interface VfioDevice {
  readonly kind: "vfio-device";
  readonly path: string;
  readonly isManaged: boolean;
  /**
   * VFIO driver named by the XML for a managed device; absent: the device's present VFIO driver, or vfio-pci.
   */
  readonly driver?: string;
}

/** File of the firmware in the XML: its code, or its variables. */
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
      /** Initial variables, if the file does not exist yet. */
      readonly template: { readonly path: string; readonly format: Format } | undefined;
      readonly override: LabelOverride | undefined;
    };

interface Chardev {
  readonly device: PortKind;
  readonly path: string;
  readonly override: LabelOverride | undefined;
}

/** Backend of a character device on the host. */
export type ChardevResource =
  | (Chardev & {
      readonly kind: "chardev-file" | "chardev-log";
      readonly access: "read-write";
      readonly append: boolean;
    })
  | (Chardev & { readonly kind: "chardev-device" | "chardev-pipe"; readonly access: "read-write" })
  /** Listening socket of the guest. A socket of another program is a peer socket. */
  | (Chardev & { readonly kind: "chardev-socket" });

/** Unix socket at which another program of the host serves a device of the guest. */
export interface PeerSocket {
  readonly kind: "peer-socket";
  /** XPath of the device: each device has its own connection. */
  readonly place: string;
  readonly path: string;
  /** Whether the program may serve other guests at the same time. */
  readonly sharing: "exclusive" | "shared";
  readonly override: LabelOverride | undefined;
}
