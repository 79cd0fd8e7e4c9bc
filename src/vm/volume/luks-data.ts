import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";

/**
 * Longest header of a LUKS volume whose size svirt changes. QEMU's and svirt's have 2,068,480 bytes at most,
 * those of cryptsetup for LUKS1 2 MiB. A guest with a raw disk can write one that is as long as its file.
 */
const LONGEST_HEADER_BYTES = 4 * 1024 * 1024;

/**
 * Returns the length of a LUKS volume's header, behind which its data begin, in bytes. Throws "unsupported"
 * for a longer one.
 */
export function dataOffsetOf({ id, sizeBytes }: FileFacts, capacityBytes: number): number {
  const headerBytes = sizeBytes - capacityBytes;
  if (headerBytes <= LONGEST_HEADER_BYTES) return headerBytes;
  throw new SvirtError(
    `Cannot change the size of ${id.path}: its LUKS header says that its data begin at byte ${headerBytes}, and svirt takes ${LONGEST_HEADER_BYTES} at most`,
    {
      kind: "unsupported",
      remedy:
        "The header may be a guest's. If the image is raw and no guest uses it: qemu-img resize -f raw FILE SIZE, with the header in SIZE.",
    },
  );
}
