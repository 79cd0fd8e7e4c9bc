import { listDisk } from "./disk-resources.ts";
import type { ImageFormat } from "./disk-source.ts";
import type { Domain } from "./domain.ts";
import { type FirmwareFile, listFirmwareFiles, listTemplates } from "./firmware-files.ts";
import type { Graphics } from "./graphics.ts";
import type { MemoryDevice } from "./memory-device.ts";
import { type ChardevResource, listPort } from "./port-resources.ts";
import { listPorts } from "./ports.ts";
import { DEFAULT_RANDOM_SOURCE } from "./rng.ts";
import { listUnopenedPaths } from "./unopened-paths.ts";

/** How QEMU opens a resource. */
export type Access = "read-only" | "read-write";

/** An image of a disk or below one, as the XML gives it. */
export interface ImageFile {
  readonly path: string;
  readonly source: "file" | "block";
  /** `undefined`: the XML names none, which means raw; contents are never asked. */
  readonly format: ImageFormat | undefined;
  readonly override: LabelOverride | undefined;
}

/** What the XML asks for instead of the label that a rule would give. */
export type LabelOverride = { readonly relabel: "no" } | { readonly relabel: "yes"; readonly label: string };

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
  | { readonly kind: "kernel" | "initrd"; readonly path: string; readonly access: "read-only" }
  | FirmwareFile
  /** Read by svirt, not by QEMU. */
  | { readonly kind: "nvram-template"; readonly path: string; readonly access: "read-only" }
  | ChardevResource
  | { readonly kind: "unopened"; readonly path: string; readonly place: string }
  | { readonly kind: "vnc-socket"; readonly path: string; readonly mode: "bind" }
  | { readonly kind: "random-device"; readonly path: string; readonly access: "read-only" }
  /** What a start cannot label and open yet, and so refuses. */
  | { readonly kind: "host-file"; readonly path: string; readonly access: Access }
  | { readonly kind: "host-device"; readonly path: string }
  | { readonly kind: "host-socket"; readonly path: string; readonly mode: "bind" | "connect" };

/** What the processor's enclaves are reached by. virSecuritySELinuxSetMemoryLabel() of libvirt */
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
    ...domain.devices.graphics.flatMap(listVncSockets),
    ...listRandomDevices(domain),
    ...listUnopenedPaths(domain).map((found) => ({ kind: "unopened", ...found }) as const),
    ...listMemoryFiles(domain),
  ];
}

function listBootFiles({ os }: Domain): Resource[] {
  const files = [
    { kind: "kernel", path: os.kernel },
    { kind: "initrd", path: os.initrd },
  ] as const;
  return files.flatMap(({ kind, path }) => (path === undefined ? [] : [{ kind, path, access: "read-only" }]));
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
  return devices.memories.flatMap(listMemoryFile);
}

function listMemoryFile(device: MemoryDevice): Resource[] {
  switch (device.model) {
    case "nvdimm":
      return [
        {
          kind: "host-file",
          path: device.source.path,
          access: device.target.readonly ? "read-only" : "read-write",
        },
      ];
    case "virtio-pmem":
      return [{ kind: "host-file", path: device.source.path, access: "read-write" }];
    case "sgx-epc":
      return SGX_DEVICES.map((path) => ({ kind: "host-device", path }));
    case "dimm":
    case "virtio-mem":
      return [];
  }
}
