import type { MemoryDevice } from "../../domain/devices/memory.ts";
import { type Arguments, jsonArguments } from "../argument/argument.ts";
import { pciKeys } from "../argument/bus-properties.ts";
import { deviceNumber } from "../device-number.ts";
import type { Launch } from "../launch.ts";
import { formatBackend, isFilledFirst, type MemoryPiece } from "../machine/memory-backend.ts";
import { deviceKiB } from "../machine/memory-size.ts";
import { isPreallocated } from "../machine/numa.ts";
import type { Guest } from "../model/guest.ts";
import { devicePath } from "../refusal.ts";

const PREFIXES = {
  dimm: "dimm",
  nvdimm: "nvdimm",
  "virtio-mem": "virtiomem",
  "virtio-pmem": "virtiopmem",
  "sgx-epc": "epc",
} as const;

/** -object and -device for each memory device. qemuBuildMemoryDeviceCommandLine() of libvirt */
export function formatMemoryDevices(guest: Guest, launch: Launch | undefined): Arguments {
  const isAllFilled = isPreallocated(guest, launch);
  return guest.devices.memories.flatMap((device, index) => {
    const piece = pieceOf(guest, device, index);
    const { words } = formatBackend(guest.domain, piece, { isAllFilled, launch });
    return [...words, ...formatDevice(guest, device, piece)];
  });
}

/** Keys of -machine for memory devices. qemuAppendDomainMemoryMachineParams() of libvirt */
export function memoryDeviceKeys({
  memories,
}: Guest["devices"]): readonly (readonly [string, string | number])[] {
  const epcs = memories.flatMap((device, index) =>
    device.model === "sgx-epc" ? [{ device, id: memoryId(memories, index) }] : [],
  );
  return [
    ...(memories.some(({ model }) => model === "nvdimm") ? [["nvdimm", "on"] as const] : []),
    ...epcs.flatMap(({ device, id }, at) => [
      [`sgx-epc.${at}.memdev`, `mem${id}`] as const,
      [`sgx-epc.${at}.node`, device.target.node ?? 0] as const,
    ]),
  ];
}

/**
 * Returns a memory device's id: by slot for DIMMs, by position for others. qemuAssignDeviceMemoryAlias() of
 * libvirt
 */
export function memoryId(memories: readonly MemoryDevice[], index: number): string {
  const device = memories[index];
  if (device === undefined) return "";
  if (device.alias !== undefined) return device.alias;
  const before = memories.slice(0, index).filter(({ model }) => model === device.model);
  const isInSlot = device.model === "dimm" || device.model === "nvdimm";
  const number = isInSlot ? (device.address?.slot ?? 0) : deviceNumber(before, before.length);
  return `${PREFIXES[device.model]}${number}`;
}

function pieceOf({ devices }: Guest, device: MemoryDevice, index: number): MemoryPiece {
  const id = memoryId(devices.memories, index);
  const common = {
    id: `mem${id}`,
    file: id,
    kind: device.model,
    place: devicePath("memory", index),
    sizeKiB: deviceKiB(device),
    access: device.access,
    discard: device.discard,
  };
  switch (device.model) {
    case "dimm":
    case "virtio-mem": {
      const { nodemask: nodes, pagesizeKiB: pageKiB } = device.source ?? {};
      return { ...common, cell: device.target.node, nodes, pageKiB };
    }
    case "nvdimm": {
      const { path, alignsizeKiB: alignKiB, pmem } = device.source;
      return { ...common, cell: device.target.node, path, alignKiB, pmem };
    }
    case "virtio-pmem":
      return { ...common, path: device.source.path };
    case "sgx-epc":
      return { ...common, cell: device.target.node, nodes: device.source?.nodemask };
  }
}

function formatDevice(guest: Guest, device: MemoryDevice, piece: MemoryPiece): Arguments {
  const memdev = piece.id;
  const id = piece.file;
  switch (device.model) {
    case "dimm":
      return jsonArguments("-device", {
        driver: "pc-dimm",
        node: piece.cell,
        memdev,
        id,
        ...slotKeys(device),
      });
    case "nvdimm":
      return jsonArguments("-device", {
        driver: "nvdimm",
        node: piece.cell,
        "label-size": bytes(device.target.label?.sizeKiB),
        unarmed: device.target.readonly ? true : undefined,
        memdev,
        id,
        ...slotKeys(device),
      });
    case "virtio-mem":
      return jsonArguments("-device", {
        driver: "virtio-mem-pci",
        node: piece.cell,
        "block-size": bytes(device.target.blockKiB),
        "requested-size": bytes(device.target.requestedKiB || undefined),
        memdev,
        prealloc: isFilledFirst(guest.domain, piece) ? true : undefined,
        memaddr: device.target.base?.base,
        "dynamic-memslots": device.target.dynamicMemslots,
        id,
        ...pciKeys(guest, device.address),
      });
    case "virtio-pmem":
      return jsonArguments("-device", {
        driver: "virtio-pmem-pci",
        memdev,
        memaddr: device.target.base?.base,
        id,
        ...pciKeys(guest, device.address),
      });
    case "sgx-epc":
      return [];
  }
}

function slotKeys({ address }: Extract<MemoryDevice, { readonly model: "dimm" | "nvdimm" }>): {
  readonly slot?: number | undefined;
  readonly addr?: number | undefined;
} {
  return { slot: address?.slot, addr: address?.base || undefined };
}

function bytes(sizeKiB: number | undefined): number | undefined {
  return sizeKiB === undefined ? undefined : sizeKiB * 1024;
}
