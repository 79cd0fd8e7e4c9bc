import { SvirtError } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import type { Host } from "../../../host/host.ts";
import { MODE_BITS } from "../../../storage/mode-bits.ts";
import type { Volume } from "../../../storage/volume/document.ts";

/** New volume that is a device. */
export interface MadeVolume {
  readonly name: string;
  readonly path: string;
  /** Facts about its node, which is the one that the kernel has for this volume. */
  readonly facts: FileFacts;
}

/**
 * Gives the node of a new volume the owner, group and mode in its XML. They last until the node is made
 * again, as at a boot.
 */
export function ownDevice(host: Host, facts: FileFacts, { target: { permissions } }: Volume): void {
  const { group: gid = facts.gid, mode = facts.mode & MODE_BITS, owner: uid = facts.uid } = permissions ?? {};
  if (permissions !== undefined) host.setOwnership(facts.id, { uid, gid, mode });
}

/** VIR_ERR_STORAGE_VOL_EXIST of libvirt */
export function alreadyThere(name: string): SvirtError {
  return new SvirtError(`storage volume '${name}' exists already`, {
    kind: "in-use",
    libvirt: "STORAGE_VOL_EXIST",
    remedy: "Choose another name.",
  });
}

/** Returns the error for a new volume whose path leads to no device, or to that of another volume. */
export function withoutNode(path: string): SvirtError {
  return new SvirtError(`cannot open volume '${path}': No such file or directory`, {
    kind: "failed",
    remedy:
      "Wait until udevd has made its node: udevadm settle. Then see whether the volume is there: svirt vol-list",
  });
}
