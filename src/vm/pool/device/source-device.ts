import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import { refuseBusyDisk } from "../../../resolve/busy-disk.ts";
import type { Instance } from "../../../state/instance.ts";
import { fileSystemType, MARKED_BYTES } from "../../../storage/pool/mount/file-system-type.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import { guestOnDevice } from "./device-guest.ts";

/**
 * Returns the block device of a pool of type fs. Throws "not-found", "unsupported" for another file;
 * "wrong-state" for a device that the host uses, as a mount, as swap or as a part of another; "in-use" for a
 * guest's.
 */
export function sourceDevice(instance: Instance, { name, source }: Pool): FileId {
  return usableDevice(instance, name, source.devices[0]?.path ?? "");
}

/**
 * Returns a pool's block devices for svirt's new storage. Throws "unsupported" without a device, and as
 * sourceDevice().
 */
export function sourceDevices(instance: Instance, { name, source: { devices } }: Pool): readonly FileId[] {
  if (devices.length === 0) throw refusal("its <source> has no <device>", name, "unsupported");
  return devices.map(({ path }) => usableDevice(instance, name, path));
}

function usableDevice(instance: Instance, name: string, path: string): FileId {
  const facts = instance.host.inspectFile(path);
  if (facts === undefined) throw refusal(`the source device ${path} does not exist`, name, "not-found");
  if (facts.type !== "block") throw refusal(`${path} is no block device`, name, "unsupported");
  refuseBusyDisk(instance.host, facts.id, `use ${facts.id.path} for the storage pool '${name}'`);
  const guest = guestOnDevice(instance, facts.id);
  if (guest === undefined) return facts.id;
  throw new SvirtError(`Cannot use ${path} for the storage pool '${name}': the guest ${guest} uses it`, {
    kind: "in-use",
    remedy: `Stop that guest: svirt shutdown ${guest}`,
  });
}

/**
 * Returns the type of the file system: the type in the XML, or of the mark on the device. Throws
 * "unsupported".
 */
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
