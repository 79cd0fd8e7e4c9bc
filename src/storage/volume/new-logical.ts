import { SvirtError } from "../../errors.ts";
import type { NewLogicalVolume } from "../pool/logical/commands.ts";
import { problemOfLogicalName } from "../pool/logical/group.ts";
import { notMade } from "./creation-refusal.ts";
import type { Volume } from "./document.ts";

/**
 * Decides about a volume of a volume group. Throws "unsupported", with the place, for a property that it
 * would not have, and without a capacity, in libvirt's words. virStorageBackendLogicalLVCreate() and
 * storageVolCreateXML() of libvirt
 */
export function decideLogicalVolume(volume: Volume, group: string): NewLogicalVolume {
  const { allocationBytes, backingStore, name, target } = volume;
  const problem = problemOfLogicalName(name, group);
  if (problem !== undefined) throw notMade("name", problem);
  if (target.encryption !== undefined)
    throw notMade("target/encryption", "svirt creates encrypted volumes in files only");
  if (target.permissions?.label !== undefined) throw labelOfDevice();
  const capacityBytes = neededCapacity(volume);
  const isSparse = (allocationBytes ?? capacityBytes) !== capacityBytes;
  if (isSparse && backingStore !== undefined)
    throw notMade("allocation", "a snapshot has all of its capacity");
  return {
    name,
    group,
    capacityBytes,
    sparseBytes: isSparse ? allocationBytes : undefined,
    origin: backingStore === undefined ? undefined : originIn(group, backingStore.path),
  };
}

/** Returns the capacity of a volume that is a device. Throws "unsupported" with libvirt's message. */
export function neededCapacity({ capacityBytes = 0 }: Pick<Volume, "capacityBytes">): number {
  if (capacityBytes > 0) return capacityBytes;
  throw new SvirtError(
    "this function is not supported by the connection driver: volume capacity required for this storage pool",
    {
      kind: "unsupported",
      libvirt: "NO_SUPPORT",
      place: "/volume/capacity",
      remedy: "Write <capacity unit='GiB'>…</capacity>.",
    },
  );
}

/** Returns the refusal of a label for a new device. */
export function labelOfDevice(): SvirtError {
  return notMade("target/permissions/label", "a device's node has the host's label, and that of its guest");
}

function originIn(group: string, path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (path === `/dev/${group}/${name}` && problemOfLogicalName(name, group) === undefined) return name;
  throw notMade("backingStore/path", `a snapshot is of a volume of the same group, in /dev/${group}`);
}
