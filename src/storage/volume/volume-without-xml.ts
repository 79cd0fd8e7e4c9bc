import type { Volume } from "./document.ts";
import type { VolumeArguments } from "./volume-of-arguments.ts";

/** Names of volumes and formats written in XML as they are, and permitted for a volume. */
const PLAIN_NAME = /^[\w.+@:-]{1,200}$/;
const PLAIN_WORD = /^[a-z0-9]{1,20}$/;

/**
 * Returns the volume parseVolume() would read from the XML of arguments, without writing and reading it.
 * Returns undefined for unusual arguments: with a backing volume, or a name with references in XML.
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
