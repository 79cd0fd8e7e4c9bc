import type { Volume } from "./document.ts";
import type { VolumeArguments } from "./volume-of-arguments.ts";

/** Names of volumes and formats that XML has as they are, and that a volume may have. */
const PLAIN_NAME = /^[\w.+@:-]{1,200}$/;
const PLAIN_WORD = /^[a-z0-9]{1,20}$/;

/**
 * Returns the volume that parseVolume() reads from the XML of arguments, without writing and reading it. Returns undefined for arguments that are
 * not plain: with a backing volume, or a name that XML may not have as it is.
 */
export function volumeOfArguments(words: VolumeArguments): Volume | undefined {
  const { allocationBytes, backing, capacityBytes, format = "raw", name } = words;
  if (backing !== undefined || !PLAIN_NAME.test(name) || !PLAIN_WORD.test(format)) return undefined;
  return {
    type: "file",
    name,
    capacityBytes,
    ...(allocationBytes === undefined ? {} : { allocationBytes }),
    target: { nocow: false, format: { type: format } },
  };
}
