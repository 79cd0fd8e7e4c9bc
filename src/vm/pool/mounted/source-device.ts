import { SvirtError } from "../../../errors.ts";
import { type FileId, fileKey } from "../../../plan/facts/file.ts";
import { refuseBusyDisk } from "../../../resolve/busy-disk.ts";
import { type Instance, registryOf } from "../../../state/instance.ts";
import { readRecord } from "../../../state/record.ts";
import type { Pool } from "../../../storage/pool/keep-pool.ts";
import { fileSystemType, MARKED_BYTES } from "../../../storage/pool/mount/file-system-type.ts";

/**
 * Returns the block device of a pool of type fs. Throws "not-found", "unsupported" for another file; "wrong-state" for a device
 * that the host uses, as a mount, as swap or as a part of another; "in-use" for a guest's.
 */
export function sourceDevice(instance: Instance, { name, source }: Pool): FileId {
  const path = source.devices[0]?.path ?? "";
  const facts = instance.host.inspectFile(path);
  if (facts === undefined) throw refusal(`the source device ${path} does not exist`, name, "not-found");
  if (facts.type !== "block") throw refusal(`${path} is no block device`, name, "unsupported");
  refuseBusyDisk(instance.host, facts.id, `use ${facts.id.path} for the storage pool '${name}'`);
  const [holder] = registryOf(instance).listHolders("file", fileKey(facts.id));
  if (holder === undefined) return facts.id;
  const guest = readRecord(instance, holder.owner)?.name ?? holder.owner;
  throw new SvirtError(`Cannot use ${path} for the storage pool '${name}': the guest ${guest} uses it`, {
    kind: "in-use",
    remedy: `Stop that guest: svirt shutdown ${guest}`,
  });
}

/** Returns the type of the file system: that in the XML, or the one whose mark the device has. Throws "unsupported". */
export function typeOfDevice({ host }: Instance, { name, source }: Pool, device: FileId): string {
  const written = source.format?.type ?? "auto";
  if (written !== "auto") return written;
  const found = fileSystemType(host.readBytes(device, 0, MARKED_BYTES));
  if (found !== undefined) return found;
  throw new SvirtError(
    `Cannot start the storage pool '${name}': svirt finds no file system that it knows on ${device.path}`,
    {
      kind: "unsupported",
      place: "/pool/source/format/@type",
      remedy: `Write its type into <format>, or make one: svirt pool-build ${name} --no-overwrite`,
    },
  );
}

function refusal(why: string, name: string, kind: "not-found" | "unsupported"): SvirtError {
  return new SvirtError(`Cannot use the storage pool '${name}': ${why}`, {
    kind,
    place: "/pool/source/device/@path",
    remedy: "Write the path of a block device into <device>, such as one in /dev/disk/by-id.",
  });
}
