import type { Disk } from "../../domain/devices/disk/disk.ts";
import { isDiskNamed, isReadOnly } from "../../domain/devices/disk/facts.ts";
import { imagePath } from "../../domain/devices/disk/images.ts";
import { encryptionOf, type PassphraseName } from "../../domain/devices/disk/secrets.ts";
import { SvirtError } from "../../errors.ts";
import { PLACE_OF_ENCRYPTION, passphraseIn } from "./new-encryption.ts";
import type { SnapshotDisk, SnapshotOptions } from "./snapshot-options.ts";

/**
 * Returns the disks that get an overlay, with its path and passphrase. Throws "usage", "unsupported".
 * virDomainSnapshotAlignDisks() of libvirt
 */
export function chooseOverlays(
  disks: readonly Disk[],
  options: Pick<SnapshotOptions, "disks" | "memory" | "name">,
): readonly {
  readonly disk: Disk;
  readonly path: string;
  readonly secret: PassphraseName | undefined;
}[] {
  const said = new Map<Disk, SnapshotDisk>();
  for (const one of options.disks) {
    const disk = disks.find((found) => isDiskNamed(found, one.name));
    if (disk === undefined)
      throw misnamed(`no disk named '${one.name}'`, "svirt domblklist lists the disks.");
    if (said.has(disk)) throw misnamed(`disk '${disk.target.dev}' specified twice`, "Name each disk once.");
    said.set(disk, one);
  }
  const chosen = disks.filter((disk) => isExternal(disk, said.get(disk)));
  if (options.memory !== undefined) refuseMemoryAlone(disks, { chosen, said });
  if (chosen.length === 0) throw unsuited("nothing selected for snapshot", "Name a disk: --diskspec vda");
  return chosen.map((disk) => {
    const { encryption, file = defaultPath(disk, options.name) } = said.get(disk) ?? {};
    const target = disk.target.dev;
    const secret = passphraseIn(encryption, target, PLACE_OF_ENCRYPTION.snapshot);
    if (secret === undefined && encryptionOf(disk) !== undefined) throw unencrypted(target);
    return { disk, path: file, secret };
  });
}

/**
 * Refuses two requests allowed by libvirt: memory without a disk, and memory with a copied disk while the
 * guest stays paused.
 */
function refuseMemoryAlone(
  disks: readonly Disk[],
  { chosen, said }: { readonly chosen: readonly Disk[]; readonly said: ReadonlyMap<Disk, SnapshotDisk> },
): void {
  const manual = disks.find((disk) => (said.get(disk)?.snapshot ?? disk.snapshot) === "manual");
  const why =
    manual === undefined ? "without a disk" : `with the disk '${manual.target.dev}' left to a copy by hand`;
  if (manual === undefined && chosen.length > 0) return;
  throw new SvirtError(`Operation not supported: svirt does not take a snapshot of memory ${why}`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "Name a disk with snapshot=external: --diskspec vda,snapshot=external",
  });
}

/** libvirt makes an unencrypted overlay. */
function unencrypted(target: string): SvirtError {
  return new SvirtError(
    `Operation not supported: disk '${target}' is encrypted, and the snapshot's overlay would not be`,
    {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      remedy: `Write <encryption> in the <source> of <disk name='${target}'> in the snapshot's XML: svirt snapshot-create DOMAIN FILE --disk-only`,
    },
  );
}

function isExternal(disk: Disk, said: SnapshotDisk | undefined): boolean {
  const { snapshot = disk.snapshot ?? (isChangeable(disk) ? "external" : "no") } = said ?? {};
  if (snapshot === "no" || snapshot === "manual") return false;
  const target = disk.target.dev;
  if (snapshot !== "external") {
    throw new SvirtError(
      `unsupported configuration: svirt does not create ${snapshot} snapshots, as requested for disk '${target}'`,
      {
        kind: "usage",
        libvirt: "CONFIG_UNSUPPORTED",
        from: "QEMU",
        remedy: `Write snapshot=external or snapshot=no: --diskspec ${target},snapshot=external`,
      },
    );
  }
  const format = said?.driver ?? "qcow2";
  if (format === "qcow2") return true;
  throw unsuited(
    `external snapshot format for disk ${target} is unsupported: ${format}`,
    "Write driver=qcow2.",
  );
}

function isChangeable(disk: Disk): boolean {
  return disk.source !== undefined && !isReadOnly(disk);
}

/**
 * Returns a path in the folder of the disk's own image, with the snapshot's name as suffix.
 * virDomainSnapshotDefAssignExternalNames()
 */
function defaultPath(disk: Disk, name: string): string {
  const target = disk.target.dev;
  if (disk.type !== "file") {
    throw misnamed(
      `cannot generate external snapshot name for disk '${target}' on a '${disk.type}' device`,
      `Name the overlay: --diskspec ${target},file=PATH`,
    );
  }
  return `${(imagePath(disk) ?? "").replace(/\.[^./]*$/, "")}.${name}`;
}

/** Returns a refusal of virDomainSnapshotAlignDisks() of libvirt. */
export function misnamed(message: string, remedy: string): SvirtError {
  return new SvirtError(message, {
    kind: "usage",
    libvirt: "CONFIG_UNSUPPORTED",
    from: "DOMAIN_SNAPSHOT",
    remedy,
  });
}

/** Returns a refusal of qemuSnapshotPrepare() of libvirt. */
function unsuited(message: string, remedy: string): SvirtError {
  return new SvirtError(message, { kind: "usage", libvirt: "CONFIG_UNSUPPORTED", from: "QEMU", remedy });
}
