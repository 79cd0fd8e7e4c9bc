import type { Filesystem } from "../devices/filesystem.ts";
import type { Graphics } from "../devices/graphics/graphics.ts";
import { hostInput } from "../devices/input/host.ts";
import type { MemoryDevice } from "../devices/memory.ts";
import type { Shmem } from "../devices/shmem.ts";
import { cancelPath, tpmDevice } from "../devices/tpm/paths.ts";
import type { Tpm } from "../devices/tpm/tpm.ts";
import type { Devices } from "../devices.ts";
import type { Domain } from "../domain.ts";
import { type ByFamily, type EntryOf, orderOf } from "../families.ts";
import { DEFAULT_RANDOM_SOURCE } from "../forms/random-source.ts";
import { listPorts } from "../ports.ts";
import { listPort } from "./chardev.ts";
import { listDisk } from "./disk.ts";
import { listFirmwareFiles, listTemplates } from "./firmware.ts";
import { listHostDevice } from "./hostdev.ts";
import { listPeerSockets } from "./peer-sockets.ts";
import type { Resource } from "./resource.ts";
import { listUnopenedPaths, shmemFile } from "./unopened-paths.ts";

/**
 * Device nodes of SGX: memory of enclaves, and the key for their attestation.
 * virSecuritySELinuxSetMemoryLabel() of libvirt
 */
const SGX_DEVICES = ["/dev/sgx_vepc", "/dev/sgx_provision"];

type List = (devices: Devices) => readonly Resource[];

/**
 * Resources of each family. "none": QEMU opens no file for its devices, or only the files of peer-sockets.ts
 * and unopened-paths.ts.
 */
const DEVICE_RESOURCES = {
  disks: ({ disks }) => disks.flatMap(listDisk),
  controllers: "none",
  leases: "none",
  filesystems: ({ filesystems }) => filesystems.flatMap(listFolder),
  interfaces: listGuestSockets,
  smartcards: "none",
  serials: (devices) => listPorts(devices).flatMap(listPort),
  parallels: "with serials",
  consoles: "with serials",
  channels: "with serials",
  inputs: listInputs,
  tpms: ({ tpms }) => tpms.flatMap(listTpm),
  graphics: ({ graphics }) => graphics.flatMap(listVncSockets),
  sounds: "none",
  audios: "none",
  videos: "none",
  hostdevs: ({ hostdevs }) => hostdevs.flatMap(listHostDevice),
  redirdevs: "none",
  redirfilter: "none",
  hubs: "none",
  watchdogs: "none",
  memballoon: "none",
  rngs: listRandomDevices,
  panics: "none",
  shmems: ({ shmems }) => shmems.flatMap(listSharedMemory),
  iommu: "none",
  vsock: "none",
  cryptos: "none",
  pstore: listPstore,
  memories: listMemories,
} as const satisfies ByFamily<List>;

/** Families in the order of inspection and labelling by a start. */
const ORDER = orderOf<EntryOf<typeof DEVICE_RESOURCES> | "peer-sockets">()([
  "disks",
  "serials",
  "peer-sockets",
  "interfaces",
  "graphics",
  "rngs",
  "memories",
  "shmems",
  "pstore",
  "filesystems",
  "inputs",
  "hostdevs",
  "tpms",
]);

/**
 * Lists every host path and device opened by QEMU for the domain. An unlisted file gets no label and cannot
 * be opened on an enforcing host. Not listed: the emulator, an executed file, and sockets in the guest's own
 * folder with a path chosen by svirt.
 */
export function listResources(domain: Domain): readonly Resource[] {
  const lists: Readonly<Record<(typeof ORDER)[number], List>> = {
    ...DEVICE_RESOURCES,
    "peer-sockets": listPeerSockets,
  };
  return [
    ...listFirmwareFiles(domain.os),
    ...listTemplates(domain.os).map(
      (path) => ({ kind: "nvram-template", path, access: "read-only" }) as const,
    ),
    ...listBootFiles(domain),
    ...ORDER.flatMap((part) => lists[part](domain.devices)),
    ...listUnopenedPaths(domain).map((found) => ({ kind: "unopened", ...found }) as const),
  ];
}

function listGuestSockets({ interfaces }: Devices): Resource[] {
  return interfaces.flatMap((found, index) => {
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
  return vncSockets(graphics).map((path) => ({ kind: "vnc-socket", path, mode: "bind" }));
}

/** Returns the sockets of a VNC display, without duplicates. */
export function vncSockets(graphics: Graphics): readonly string[] {
  if (graphics.type !== "vnc") return [];
  const listens = graphics.listens.flatMap((listen) => (listen.type === "socket" ? [listen.socket] : []));
  return [...new Set([graphics.socket, ...listens])].filter((path) => path !== undefined);
}

function listRandomDevices({ rngs }: Devices): Resource[] {
  return rngs.flatMap(({ backend }) => {
    if (backend.model !== "random") return [];
    return [{ kind: "random-device", path: backend.path ?? DEFAULT_RANDOM_SOURCE, access: "read-only" }];
  });
}

function listMemories({ memories }: Devices): Resource[] {
  const hasEnclaves = memories.some(({ model }) => model === "sgx-epc");
  return [...memories.flatMap(listMemoryFile), ...(hasEnclaves ? listSgxDevices() : [])];
}

function listPstore({ pstore }: Devices): Resource[] {
  if (pstore === undefined) return [];
  return [{ kind: "memory-file", access: "read-write", path: pstore.path, sizeKiB: pstore.sizeKiB }];
}

function listMemoryFile(device: MemoryDevice): Resource[] {
  switch (device.model) {
    // QEMU opens the file for writing, even if the guest may only read it.
    case "nvdimm":
    case "virtio-pmem":
      return [{ kind: "memory-file", path: device.source.path, access: "read-write" }];
    // listMemories() lists the device nodes of sgx-epc once for all devices.
    case "sgx-epc":
    case "dimm":
    case "virtio-mem":
      return [];
  }
}

function listSgxDevices(): Resource[] {
  return SGX_DEVICES.map((path) => ({ kind: "sgx-device", path, access: "read-write" }));
}

/** Lists the folder; with `<source socket>`, an external virtiofsd serves it. */
function listFolder({ driver, readonly, source }: Filesystem): Resource[] {
  if (source.dir === undefined) return [];
  const by = driver?.type === "virtiofs" ? "virtiofsd" : "qemu";
  return [{ kind: "shared-folder", path: source.dir, access: readonly ? "read-only" : "read-write", by }];
}

/** Lists the memory file of a plain device; a device with a server gets its memory from the server. */
function listSharedMemory(shmem: Shmem): Resource[] {
  if (shmem.model.type !== "ivshmem-plain") return [];
  const path = shmemFile(shmem);
  return [{ kind: "memory-file", access: "read-write", path, sizeKiB: shmem.sizeKiB ?? 0, shareable: true }];
}

function listInputs({ inputs }: Devices): Resource[] {
  return inputs.flatMap((input) => {
    const path = hostInput(input);
    return path === undefined ? [] : [{ kind: "input-device", path, access: "read-write" }];
  });
}

/** Lists the device node of a passed-through TPM, and the file that cancels its commands. */
export function listTpm(tpm: Tpm): Resource[] {
  const path = tpmDevice(tpm);
  if (path === undefined) return [];
  const access = "read-write";
  return [
    { kind: "tpm-device", path, access },
    { kind: "tpm-cancel", path: cancelPath(path), access },
  ];
}
