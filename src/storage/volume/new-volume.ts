import { SvirtError } from "../../errors.ts";
import type { NewImage } from "../../images/new-qcow2.ts";
import type { Qcow2Options } from "../../images/qcow2-features.ts";
import type { Permissions } from "../permissions.ts";
import { notMade, wrongName } from "./creation-refusal.ts";
import type { Volume } from "./document.ts";
import { decideEncryption, type NewEncryption } from "./new-encryption.ts";
import { problemOfName } from "./volume-name.ts";

/** Mode of a volume's file if its XML has none. VIR_STORAGE_DEFAULT_VOL_PERM_MODE of libvirt */
const DEFAULT_MODE = 0o600;
const [OLD, NEW] = ["0.10", "1.1"] as const;

/** Volume to create, as its XML requests it. */
export interface NewVolume {
  readonly name: string;
  readonly format: NewImage["format"];
  /** Undefined: the backing file's. */
  readonly capacityBytes: number | undefined;
  /** Length of a raw image's beginning for which disk space is reserved. */
  readonly reservedBytes: number;
  /** Tables of a qcow2 image that map all of it: "all" with its disk space. */
  readonly preallocated?: "metadata" | "all";
  readonly backing: NewImage["backing"];
  /** Whether a file system that copies on write overwrites its data in place. */
  readonly isNocow: boolean;
  readonly options: Qcow2Options;
  readonly permissions: Permissions & { readonly mode: number };
  readonly encryption?: NewEncryption | undefined;
}

/** Flags of a creation. virStorageVolCreateFlags of libvirt */
export interface CreationFlags {
  readonly isMetadataPreallocated?: boolean;
}

/**
 * Decides about a volume of a folder. Throws "xml" without a capacity; "unsupported", with the place, for a
 * property that the volume would not have. createRawFile() and storageBackendCreateQemuImg… of libvirt
 */
export function decideNewVolume(volume: Volume, { isMetadataPreallocated }: CreationFlags = {}): NewVolume {
  const problem = problemOfName(volume.name);
  if (problem !== undefined) throw wrongName(volume.name, problem);
  refuseUnmade(volume);
  const format = formatOf(volume);
  const { backingStore: below, capacityBytes, target } = volume;
  const encryption = decideEncryption(target);
  if (isMetadataPreallocated === true) refusePreallocation(format, { below, encryption });
  if (capacityBytes === undefined && below === undefined) throw noCapacity();
  return {
    name: volume.name,
    format,
    capacityBytes: roundedFor(format === "raw" && encryption === undefined, capacityBytes),
    reservedBytes: format === "raw" ? reservedOf(volume) : 0,
    ...(isMetadataPreallocated === true ? { preallocated: preallocationOf(volume) } : {}),
    backing: below === undefined ? undefined : { path: below.path, format: below.format?.type ?? "raw" },
    isNocow: target.nocow,
    options: format === "qcow2" ? optionsOf(target) : {},
    permissions: { ...target.permissions, mode: target.permissions?.mode ?? DEFAULT_MODE },
    encryption,
  };
}

/**
 * qemu-img gets the size of an image with a header in KiB. virStorageBackendCreateQemuImgCmdFromVol() of
 * libvirt
 */
function roundedFor(isPlain: boolean, sizeBytes: number | undefined): number | undefined {
  return isPlain || sizeBytes === undefined ? sizeBytes : Math.ceil(sizeBytes / 1024) * 1024;
}

/** The rest of an allocation that is larger is rounded up by the file system, as vol-dumpxml shows it. */
function reservedOf({ allocationBytes, capacityBytes = 0 }: Volume): number {
  return Math.min(allocationBytes ?? capacityBytes, capacityBytes);
}

/** Refuses each requested property missing from the new volume. */
function refuseUnmade({ source, type }: Volume): void {
  if (type !== undefined && type !== "file") throw notMade("@type", "svirt creates volumes in files only");
  if (source !== undefined) throw notMade("source", "svirt creates volumes in files only");
}

function formatOf({ backingStore, target }: Volume): NewImage["format"] {
  const format = target.format?.type ?? "raw";
  if (format !== "raw" && format !== "qcow2")
    throw notMade("target/format", `svirt creates raw and qcow2 images, not ${format}`);
  if (format === "qcow2") return format;
  if (backingStore !== undefined)
    throw notMade("backingStore", `backing storage not supported for ${format} volumes`);
  for (const [place, value] of [
    ["compat", target.compat],
    ["clusterSize", target.clusterBytes],
    ["features", target.features],
  ] as const)
    if (value !== undefined) throw notMade(`target/${place}`, `a ${format} image has none`);
  return format;
}

function optionsOf({ clusterBytes, compat = NEW, features }: Volume["target"]): Qcow2Options {
  if (compat !== OLD && compat !== NEW)
    throw notMade("target/compat", `svirt creates qcow2 images of the versions ${OLD} and ${NEW} only`);
  return {
    compat,
    ...(clusterBytes === undefined ? {} : { clusterBytes }),
    ...(features === undefined
      ? {}
      : { lazyRefcounts: features.lazyRefcounts, extendedL2: features.extendedL2 }),
  };
}

/** virStorageVolDefParseXML() of libvirt */
function noCapacity(): SvirtError {
  return new SvirtError("XML error: missing capacity element", {
    kind: "xml",
    place: "/volume/capacity",
    remedy: "Write <capacity unit='GiB'>…</capacity>.",
  });
}

/** virStorageBackendCreateQemuImgCmdFromVol() of libvirt */
function refusePreallocation(
  format: NewImage["format"],
  {
    below,
    encryption,
  }: { readonly below: Volume["backingStore"]; readonly encryption: NewEncryption | undefined },
): void {
  if (format === "raw") throw notPreallocated("metadata preallocation is not supported for raw volumes");
  if (below !== undefined) throw notPreallocated("metadata preallocation conflicts with backing store");
  if (encryption !== undefined) throw notPreallocated("Cannot preallocate the tables of an encrypted volume");
}

/**
 * With the whole allocation, which is the default, disk space is reserved too.
 * storageBackendCreateQemuImgOpts() of libvirt
 */
function preallocationOf({
  allocationBytes,
  capacityBytes = 0,
}: Volume): NonNullable<NewVolume["preallocated"]> {
  return (allocationBytes ?? capacityBytes) < capacityBytes ? "metadata" : "all";
}

/** Returns the refusal of preallocated tables. */
export function notPreallocated(why: string): SvirtError {
  return new SvirtError(why, { kind: "unsupported", remedy: "Leave --prealloc-metadata out." });
}
