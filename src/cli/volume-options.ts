import { parseSize } from "../domain/forms/byte-size.ts";
import { SvirtError } from "../errors.ts";
import type { Call, Operand, Option } from "./command.ts";

/** Operand of commands that create a volume. */
export const NEW_POOL_OPERAND: Operand = {
  name: "pool",
  summary: "name or uuid of a pool, or the absolute path of a folder",
};

/** Option of commands that create a volume, which only libvirt carries out. */
export const PREALLOCATION_OPTION: Option = {
  name: "prealloc-metadata",
  summary: "refused: svirt does not preallocate the tables of qcow2",
};

/** Option of commands that copy a volume. */
export const REFLINK_OPTION: Option = {
  name: "reflink",
  summary: "fail where the file system cannot share the space of both volumes",
};

/** Returns the flags of a copy. */
export function copyFlags({ options }: Call) {
  return {
    isMetadataPreallocated: options.has("prealloc-metadata"),
    isReflink: options.has("reflink"),
  };
}

/** Returns the bytes of a size. Throws "usage" with virsh's message. */
export function sizeOf(text: string): number {
  const bytes = parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new SvirtError(`Malformed size ${text}`, {
    kind: "usage",
    remedy: "Write bytes, or a number with a unit: 10G, 512MiB.",
  });
}
