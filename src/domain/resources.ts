import { listDisk } from "./disk-resources.ts";
import type { ImageFormat, Slice } from "./disk-source.ts";
import type { Domain } from "./domain.ts";
import type { Filesystem } from "./filesystem.ts";
import { type FirmwareFile, listFirmwareFiles, listTemplates } from "./firmware-files.ts";
import type { Graphics } from "./graphics.ts";
import { listHostDevice } from "./host-device-resources.ts";
import { hostInput } from "./host-input.ts";
import type { MemoryDevice } from "./memory-device.ts";
import { listPeerSockets, type PeerSocket } from "./peer-sockets.ts";
import { type ChardevResource, listPort } from "./port-resources.ts";
import { listPorts } from "./ports.ts";
import { DEFAULT_RANDOM_SOURCE } from "./random-source.ts";
import type { Shmem } from "./shmem.ts";
import type { Tpm } from "./tpm.ts";
import { cancelPath, tpmDevice } from "./tpm-device.ts";
import { listUnopenedPaths, shmemFile } from "./unopened-paths.ts";

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
  | { readonly kind: "unopened"; readonly path: string; readonly place: string }
  | { readonly kind: "vnc-socket"; readonly path: string; readonly mode: "bind" }
  | { readonly kind: "random-device"; readonly path: string; readonly access: "read-only" }
  /** What a start cannot label and open yet, and so refuses. */
  | { readonly kind: "host-file"; readonly path: string; readonly access: Access }
  | { readonly kind: "host-device"; readonly path: string }
  | { readonly kind: "host-socket"; readonly path: string; readonly mode: "bind" | "connect" };

/**
 * What gives guests memory of enclaves, and their processors the key to attest them. virSecuritySELinuxSetMemoryLabel()
 * of libvirt
 */
const SGX_DEVICES = ["/dev/sgx_vepc", "/dev/sgx_provision"];

/**
 * The one list of every host path or device that QEMU will open for this domain, and how. What is not on it gets no
 * label and, on a node that enforces, cannot be opened. Not on it: the emulator, which is run and not opened, and
 * sockets whose path svirt chooses, which lie in the guest's own folder.
 */
export function listResources(domain: Domain): readonly Resource[] {
  return [
    ...listFirmwareFiles(domain.os),
    ...listTemplates(domain.os).map(
      (path) => ({ kind: "nvram-template", path, access: "read-only" }) as const,
    ),
    ...listBootFiles(domain),
    ...domain.devices.disks.flatMap(listDisk),
    ...listPorts(domain.devices).flatMap(listPort),
    ...listPeerSockets(domain.devices),
    ...listGuestSockets(domain),
    ...domain.devices.graphics.flatMap(listVncSockets),
    ...listRandomDevices(domain),
    ...listUnopenedPaths(domain).map((found) => ({ kind: "unopened", ...found }) as const),
    ...listMemoryFiles(domain),
    ...domain.devices.filesystems.flatMap(listFolder),
    ...listInputs(domain),
    ...domain.devices.hostdevs.flatMap(listHostDevice),
    ...domain.devices.tpms.flatMap(listTpm),
  ];
}

function listGuestSockets({ devices }: Domain): Resource[] {
  return devices.interfaces.flatMap((found, index) => {
    const path =
      found.type === "vhostuser" && found.source?.mode === "server" ? found.source.path : undefined;
    return path === undefined ? [] : [{ kind: "guest-socket", path, interface: index }];
  });
}

function listBootFiles({ os, sysinfos }: Domain): Resource[] {
  const values = sysinfos.flatMap((found) => (found.type === "fwcfg" ? found.entries : []));
  const others = [os.shim, os.dtb, ...(os.acpi?.tables ?? []), ...values];
  const files = [
    { kind: "kernel", path: os.kernel },
    { kind: "initrd", path: os.initrd },
    ...others.map((other) => ({ kind: "boot-file", path: bootFile(other) }) as const),
  ] as const;
  return files.flatMap(({ kind, path }) => (path === undefined ? [] : [{ kind, path, access: "read-only" }]));
}

function bootFile(
  named: string | undefined | { readonly path: string } | { readonly file?: string },
): string | undefined {
  if (typeof named !== "object") return named;
  return "path" in named ? named.path : named.file;
}

function listVncSockets(graphics: Graphics): Resource[] {
  if (graphics.type !== "vnc") return [];
  const listens = graphics.listens.flatMap((listen) => (listen.type === "socket" ? [listen.socket] : []));
  const paths = new Set([graphics.socket, ...listens]);
  return [...paths].flatMap((path) =>
    path === undefined ? [] : [{ kind: "vnc-socket", path, mode: "bind" }],
  );
}

function listRandomDevices({ devices }: Domain): Resource[] {
  return devices.rngs.flatMap(({ backend }) => {
    if (backend.model !== "random") return [];
    return [{ kind: "random-device", path: backend.path ?? DEFAULT_RANDOM_SOURCE, access: "read-only" }];
  });
}

function listMemoryFiles({ devices }: Domain): Resource[] {
  const { memories, pstore, shmems } = devices;
  return [
    ...memories.flatMap(listMemoryFile),
    ...(memories.some(({ model }) => model === "sgx-epc") ? listSgxDevices() : []),
    ...shmems.flatMap(listSharedMemory),
    ...(pstore === undefined
      ? []
      : [{ kind: "memory-file", access: "read-write", path: pstore.path, sizeKiB: pstore.sizeKiB } as const]),
  ];
}

function listMemoryFile(device: MemoryDevice): Resource[] {
  switch (device.model) {
    // QEMU opens it for writing, even what the guest may only read.
    case "nvdimm":
    case "virtio-pmem":
      return [{ kind: "memory-file", path: device.source.path, access: "read-write" }];
    // Once, whatever there is of it.
    case "sgx-epc":
    case "dimm":
    case "virtio-mem":
      return [];
  }
}

function listSgxDevices(): Resource[] {
  return SGX_DEVICES.map((path) => ({ kind: "sgx-device", path, access: "read-write" }));
}

/** Where a socket stands instead of it, another program serves what it likes. */
function listFolder({ driver, readonly, source }: Filesystem): Resource[] {
  if (source.dir === undefined) return [];
  const by = driver?.type === "virtiofs" ? "virtiofsd" : "qemu";
  return [{ kind: "shared-folder", path: source.dir, access: readonly ? "read-only" : "read-write", by }];
}

/** Where a server is asked for it, nothing is opened by name. */
function listSharedMemory(shmem: Shmem): Resource[] {
  if (shmem.model.type !== "ivshmem-plain") return [];
  const path = shmemFile(shmem);
  return [{ kind: "memory-file", access: "read-write", path, sizeKiB: shmem.sizeKiB ?? 0, shareable: true }];
}

function listInputs({ devices }: Domain): Resource[] {
  return devices.inputs.flatMap((input) => {
    const path = hostInput(input);
    return path === undefined ? [] : [{ kind: "input-device", path, access: "read-write" }];
  });
}

/** The TPM that a guest is given, and what cancels its commands. */
export function listTpm(tpm: Tpm): Resource[] {
  const path = tpmDevice(tpm);
  if (path === undefined) return [];
  const access = "read-write";
  return [
    { kind: "tpm-device", path, access },
    { kind: "tpm-cancel", path: cancelPath(path), access },
  ];
}
