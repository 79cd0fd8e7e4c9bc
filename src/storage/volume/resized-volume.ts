import { SvirtError } from "../../errors.ts";

/** Requested size of a volume. */
export interface Resize {
  readonly capacityBytes: number;
  /** Whether the capacity is the difference to the current one. */
  readonly isDelta: boolean;
  readonly isShrunk: boolean;
  readonly isAllocated: boolean;
}

/** Volume that is resized. */
interface Resized {
  readonly name: string;
  readonly format: string;
  readonly capacityBytes: number;
  readonly allocationBytes: number;
}

/**
 * Decides the new size of a volume and the space to reserve. Throws "usage" for a size below the allocation, or below the
 * current one without the flag; "unsupported" for a format with a header. storageVolResize() of libvirt
 */
export function decideResize(
  volume: Resized,
  { capacityBytes: requested, isAllocated, isDelta, isShrunk }: Resize,
): { readonly sizeBytes: number; readonly reservedBytes: number } {
  const { allocationBytes, capacityBytes, format, name } = volume;
  if (format !== "raw" && format !== "iso") throw notResized(name, format);
  if (isShrunk && isAllocated) throw notBoth();
  const change = isShrunk ? -Math.min(requested, capacityBytes) : requested;
  const sizeBytes = isDelta ? capacityBytes + change : requested;
  // The allocation of a small file is rounded up to a block.
  if (sizeBytes < Math.min(allocationBytes, capacityBytes))
    throw cannotShrink("can't shrink capacity below existing allocation");
  if (sizeBytes < capacityBytes && !isShrunk)
    throw cannotShrink(
      "Can't shrink capacity below current capacity unless shrink flag explicitly specified",
    );
  return { sizeBytes, reservedBytes: isAllocated ? sizeBytes : 0 };
}

/** VIR_ERR_INVALID_ARG of libvirt */
function cannotShrink(why: string): SvirtError {
  return new SvirtError(`invalid argument: ${why}`, {
    kind: "usage",
    remedy: "Request a larger size; --shrink permits one that is smaller than the capacity.",
  });
}

function notBoth(): SvirtError {
  return new SvirtError("Cannot resize the volume: --allocate and --shrink exclude each other", {
    kind: "usage",
    remedy: "Leave one of them out.",
  });
}

function notResized(name: string, format: string): SvirtError {
  return new SvirtError(
    `Cannot resize the volume '${name}': it is ${format}, and svirt resizes raw volumes only`,
    {
      kind: "unsupported",
      remedy: "While no guest uses it: qemu-img resize FILE SIZE.",
    },
  );
}
