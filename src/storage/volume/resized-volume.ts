import { SvirtError } from "../../errors.ts";

/** BDRV_SECTOR_SIZE of qemu.git */
const SECTOR_BYTES = 512;

/** Requested size of a volume. */
export interface Resize {
  readonly capacityBytes: number;
  /** Whether the capacity is the difference to the current capacity. */
  readonly isDelta: boolean;
  readonly isShrunk: boolean;
  readonly isAllocated: boolean;
}

/** Volume with a new size. */
interface Resized {
  readonly name: string;
  readonly format: string;
  readonly capacityBytes: number;
  readonly allocationBytes: number;
}

/**
 * Decides the new size of a volume and the space to reserve. Throws "usage" for a size below the allocation,
 * or below the current size without the flag; "unsupported" for another format than raw and qcow2.
 * storageVolResize() of libvirt
 */
export function decideResize(
  volume: Resized,
  { capacityBytes: requested, isAllocated, isDelta, isShrunk }: Resize,
): { readonly sizeBytes: number; readonly reservedBytes: number } {
  const { allocationBytes, capacityBytes, format, name } = volume;
  refuseFormat(name, format, isAllocated);
  if (isShrunk && isAllocated) throw notBoth();
  const change = isShrunk ? -Math.min(requested, capacityBytes) : requested;
  const sizeBytes = roundedFor(format, isDelta ? capacityBytes + change : requested);
  if (!Number.isSafeInteger(sizeBytes)) throw tooLarge();
  // The allocation of a small file is rounded up to a block.
  if (sizeBytes < Math.min(allocationBytes, capacityBytes))
    throw cannotShrink("can't shrink capacity below existing allocation");
  if (sizeBytes < capacityBytes && !isShrunk)
    throw cannotShrink(
      "Can't shrink capacity below current capacity unless shrink flag explicitly specified",
    );
  return { sizeBytes, reservedBytes: isAllocated ? sizeBytes : 0 };
}

/** svirt could not read the size of such an image again. */
function tooLarge(): SvirtError {
  return new SvirtError("Cannot resize the volume: its capacity would be more than 8 PiB", {
    kind: "usage",
    from: "STORAGE",
    remedy: "Request a smaller size.",
  });
}

function refuseFormat(name: string, format: string, isAllocated: boolean): void {
  if (format === "raw" || format === "iso") return;
  if (format !== "qcow2") throw notResized(name, format);
  if (isAllocated) throw notAllocated();
}

/** The size of an image with a header is a number of sectors. storageBackendResizeQemuImg() of libvirt */
function roundedFor(format: string, sizeBytes: number): number {
  return format === "qcow2" ? Math.ceil(sizeBytes / SECTOR_BYTES) * SECTOR_BYTES : sizeBytes;
}

/** VIR_ERR_INVALID_ARG of libvirt */
function cannotShrink(why: string): SvirtError {
  return new SvirtError(`invalid argument: ${why}`, {
    kind: "usage",
    from: "STORAGE",
    remedy: "Request a larger size; --shrink permits one that is smaller than the capacity.",
  });
}

function notBoth(): SvirtError {
  return new SvirtError("Cannot resize the volume: --allocate and --shrink exclude each other", {
    kind: "usage",
    from: "STORAGE",
    remedy: "Leave one of them out.",
  });
}

/** virStorageBackendVolResizeLocal() of libvirt */
function notAllocated(): SvirtError {
  return new SvirtError("Operation not supported: preallocate is only supported for raw type volume", {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    from: "STORAGE",
    remedy: "Leave --allocate out.",
  });
}

function notResized(name: string, format: string): SvirtError {
  return new SvirtError(
    `Cannot resize the volume '${name}': it is ${format}, and svirt resizes raw and qcow2 volumes only`,
    {
      kind: "unsupported",
      remedy: "While no guest uses it: qemu-img resize FILE SIZE.",
    },
  );
}
