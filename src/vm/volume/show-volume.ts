import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { ImageName } from "../../images/element.ts";
import type { Qcow2Properties } from "../../images/qcow2-features.ts";
import { fileFormats } from "../../resolve/formats/file-formats.ts";
import { physicalSize } from "../../resolve/image-size.ts";
import { getFileLabel } from "../../run/labels/get-file-label.ts";
import type { Instance } from "../../state/instance.ts";
import type { Permissions } from "../../storage/permissions.ts";
import { DISK_FORMAT_BYTES, probeDiskFormat } from "../../storage/volume/disk-format.ts";
import type { Volume } from "../../storage/volume/document.ts";
import { formatInstant } from "../../storage/volume/instant.ts";
import { type FoundVolume, findDevice, findVolume } from "./find-volume.ts";
import { describeLogical, isDescribed } from "./logical-facts.ts";
import { describeImage, type VolumeImage } from "./volume-image.ts";

/**
 * Describes a volume of a pool by its name, key or path; without a pool, a disk of any pool by its key or
 * path, or any image or block device by its path. Throws "not-found" and the errors of showVolume().
 */
export async function showVolumeOf(
  instance: Instance,
  key: string,
  pool: string | undefined,
): Promise<Volume> {
  const found = pool === undefined ? findDevice(instance, key) : await findVolume(instance, key, pool);
  if (found === undefined) return showVolume(instance, key);
  const { facts, name, path } = found;
  if (facts.type === "block") return await showDevice(instance, found);
  if (facts.type !== "folder") return showVolume(instance, path);
  const sizes = { capacityBytes: 0, allocationBytes: 0, physicalBytes: 0 };
  return { type: "dir", name, key: path, ...sizes, target: targetOf(instance, facts, { format: "dir" }) };
}

/**
 * Describes a volume that is a block device: by its pool's names, and with its partition table as its format.
 * What the table says is not read. virStorageBackendSCSINewLun() of libvirt
 */
async function showDevice(instance: Instance, found: FoundVolume): Promise<Volume> {
  const { extent, facts, key, name, path, pool } = found;
  const { host } = instance;
  const sizeBytes = physicalSize(instance, { path, facts });
  if (isDescribed(pool)) {
    const shown = { type: "block", name, key, capacityBytes: sizeBytes, physicalBytes: sizeBytes } as const;
    const { format: _, ...target } = { ...targetOf(instance, facts, { format: "none" }), path };
    return { ...shown, target, ...(await logicalParts(instance, found)) };
  }
  // libvirt gives a partition no format.
  const format =
    extent === undefined ? probeDiskFormat(host.readBytes(facts.id, 0, DISK_FORMAT_BYTES)) : "none";
  return {
    type: "block",
    name,
    key,
    ...(extent === undefined ? {} : { source: sourceOf(extent) }),
    capacityBytes: sizeBytes,
    allocationBytes: sizeBytes,
    physicalBytes: sizeBytes,
    target: { ...targetOf(instance, facts, { format }), path },
  };
}

/**
 * Describes the space of a logical volume and its origin. virStorageVolDefFormatSourceExtents() of libvirt
 */
async function logicalParts(
  instance: Instance,
  found: FoundVolume,
): Promise<Pick<Volume, "allocationBytes" | "source" | "backingStore">> {
  const volume = await describeLogical(instance, found);
  if (volume === undefined) return {};
  const { extents, origin, sizeBytes } = volume;
  const devices: { path: string; extents: { start: number; end: number }[] }[] = [];
  for (const { path, ...extent } of extents) {
    const last = devices.at(-1);
    if (last?.path === path) last.extents.push(extent);
    else devices.push({ path, extents: [extent] });
  }
  const group = found.path.slice(0, found.path.lastIndexOf("/"));
  return {
    allocationBytes: sizeBytes,
    ...(devices.length === 0 ? {} : { source: { devices } }),
    ...(origin === undefined ? {} : { backingStore: { path: `${group}/${origin}` } }),
  };
}

function sourceOf({
  device: path,
  end,
  start,
}: NonNullable<FoundVolume["extent"]>): NonNullable<Volume["source"]> {
  return { devices: [{ path, extents: [{ start, end }] }] };
}

/**
 * Describes an image or a block device as a storage volume: sizes, permissions, label. Its format is that of
 * fileFormats(): clients carry it into new XML. Throws "not-found", "unsupported" for any
 * other kind of file, "failed" for a broken header.
 */
export function showVolume(instance: Instance, path: string): Volume {
  const facts = instance.host.withInspected(path, (file) => file.facts);
  if (facts === undefined) throw missingVolume(path);
  return describeVolume(instance, facts);
}

/** Describes the volume in a file or a block device, as showVolume(). */
export function describeVolume(instance: Instance, facts: FileFacts): Volume {
  const { type } = facts;
  const { path } = facts.id;
  if (type !== "file" && type !== "block") throw noVolume(path, type);
  const physicalBytes = physicalSize(instance, { path, facts });
  const image = describeImage(instance, facts, fileFormats(instance));
  const isWhole = image.format === "raw" || image.format === "iso";
  const capacityBytes = isWhole ? physicalBytes : image.capacityBytes;
  return {
    type,
    name: path.slice(path.lastIndexOf("/") + 1),
    key: path,
    ...(capacityBytes === undefined ? {} : { capacityBytes }),
    allocationBytes: type === "file" ? facts.allocatedBytes : physicalBytes,
    physicalBytes,
    target: targetOf(instance, facts, image),
    ...(image.backing === undefined ? {} : { backingStore: backingOf(image.backing) }),
  };
}

/**
 * Describes a backing image by the words of the header. A guest may have written them: they decide no look at
 * a file.
 */
function backingOf({ format, path }: ImageName): NonNullable<Volume["backingStore"]> {
  return { path, ...(format === undefined ? {} : { format: { type: format } }) };
}

function targetOf(
  instance: Instance,
  facts: FileFacts,
  { encryption, format, options }: VolumeImage,
): Volume["target"] {
  const { path } = facts.id;
  // A raw image with encryption, as in the XML by which it is made.
  const shown = format === "luks" && encryption !== undefined ? "raw" : format;
  return {
    path,
    format: { type: shown },
    ...(encryption === undefined ? {} : { encryption: encryptionOf(instance, path, encryption) }),
    permissions: permissionsOf(instance, facts),
    timestamps: timestampsOf(facts),
    nocow: false,
    ...(options === undefined ? {} : propertiesOf(options)),
  };
}

/**
 * Describes the encryption, with the secret for that path if there is one. storageBackendLoadDefaultSecrets()
 * of libvirt
 */
function encryptionOf(
  instance: Instance,
  path: string,
  method: NonNullable<VolumeImage["encryption"]>,
): NonNullable<Volume["target"]["encryption"]> {
  const {
    secretFor,
  }: typeof import("../../resolve/secrets/find-secret.ts") = require("../../resolve/secrets/find-secret.ts");
  const found = secretFor(instance, { type: "volume", id: path });
  const secrets = found === undefined ? [] : [{ type: "passphrase" as const, uuid: found.uuid }];
  return method === "luks" ? { format: "luks", secrets } : { format: "qcow", secrets };
}

/** The version 0.10 is not shown, since it has no features. virStorageBackendVolOpen… of libvirt */
function propertiesOf({ clusterBytes, compat, extendedL2, lazyRefcounts }: Qcow2Properties) {
  if (compat === "0.10") return { clusterBytes };
  return { clusterBytes, compat, features: { extendedL2, lazyRefcounts } };
}

/** Linux has no time of creation in stat(2). virStorageBackendUpdateVolTargetInfoFD() of libvirt */
function timestampsOf({ times }: FileFacts): NonNullable<Volume["target"]["timestamps"]> {
  return {
    atime: formatInstant(times.accessedNs),
    mtime: formatInstant(times.modifiedNs),
    ctime: formatInstant(times.changedNs),
    btime: formatInstant(0n),
  };
}

function permissionsOf(instance: Instance, facts: FileFacts): Permissions {
  const label = getFileLabel(instance.host, facts.id);
  return {
    mode: facts.mode,
    owner: facts.uid,
    group: facts.gid,
    ...(label === undefined ? {} : { label }),
  };
}

function missingVolume(path: string): SvirtError {
  return new SvirtError(`Cannot access file '${path}': No such file or directory`, {
    kind: "not-found",
    libvirt: "NO_STORAGE_VOL",
    remedy: "Correct the path.",
  });
}

function noVolume(path: string, type: string): SvirtError {
  return new SvirtError(`Cannot show ${path} as a volume: it is a ${type}, not a file or block device`, {
    kind: "unsupported",
    remedy: "Name an image file or a block device.",
  });
}
