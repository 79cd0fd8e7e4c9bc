import type { Disk } from "../../src/domain/devices/disk/disk.ts";
import { isDecryptedByQemu } from "../../src/domain/devices/disk/secrets.ts";
import { SvirtError } from "../../src/errors.ts";
import type { ChainElement } from "../../src/images/element.ts";
import { chainOf } from "../../src/qemu/devices/disk/chain.ts";

/**
 * Returns the chain that walkChain() would find for a disk of files and devices if the host matched the XML.
 */
export function declaredChain(disk: Disk): readonly ChainElement[] {
  return chainOf(disk, undefined).elements.map(({ encryption, place, format, role, readOnly, slice }) => {
    if (place.type !== "file" && place.type !== "block") throw notLocal(`${place.type} is no file`);
    if (format !== "raw" && format !== "qcow2") throw notLocal(`svirt does not read ${format}`);
    const isEncrypted = isDecryptedByQemu(encryption) ? { isEncrypted: true as const } : {};
    return { path: place.path, storage: place.type, format, role, readOnly, slice, ...isEncrypted };
  });
}

function notLocal(message: string): SvirtError {
  return new SvirtError(message, { kind: "unsupported", remedy: "" });
}
