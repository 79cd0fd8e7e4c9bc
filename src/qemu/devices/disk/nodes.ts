import type { Disk } from "../../../domain/devices/disk/disk.ts";
import type { DiskDriver } from "../../../domain/devices/disk/driver.ts";
import { isDecryptedByQemu } from "../../../domain/devices/disk/secrets.ts";
import { type Arguments, jsonArguments } from "../../argument/argument.ts";
import { fdsetPath, isDirect, type Launch, lockingKeys, peerOf } from "../../launch.ts";
import { refuseUnproven } from "../../refusal.ts";
import type { ChainImage, DiskChain } from "./chain.ts";
import { formatFilters } from "./filters.ts";
import { remoteSource } from "./image-source.ts";
import { reservationArguments, reservationKeys } from "./reservations.ts";
import {
  decryptionKeys,
  formatSecrets,
  librbdKeys,
  loginKeys,
  type SecretPassing,
  type SecretUse,
  secretsOf,
} from "./secrets.ts";

/** Block nodes of a disk: their arguments, the deepest image first, and the node for the device. */
export interface DiskNodes {
  readonly words: Arguments;
  readonly top: string;
}

/** A disk with block nodes numbered from `firstNumber`, the top image first. */
export interface NumberedDisk {
  readonly disk: Disk;
  readonly chain: DiskChain;
  readonly firstNumber: number;
  /** Number after the last of this disk. */
  readonly nextNumber: number;
  /** Path of the disk in the XML. */
  readonly path: string;
  /** libvirt's folder for the guest's sockets. */
  readonly folder: string;
  /** First free descriptor set. */
  readonly firstFdset: number;
  /** Values of secrets for libvirt's arguments. */
  readonly sealed?: SecretPassing["sealed"];
}

/** QEMU's cache options for each value of `<driver cache>`. qemuDomainDiskCachemodeFlags() of libvirt */
const CACHES: ReadonlyMap<DiskDriver["cache"], { readonly direct: boolean; readonly "no-flush": boolean }> =
  new Map([
    ["none", { direct: true, "no-flush": false }],
    ["writeback", { direct: false, "no-flush": false }],
    ["writethrough", { direct: false, "no-flush": false }],
    ["directsync", { direct: true, "no-flush": false }],
    ["unsafe", { direct: false, "no-flush": true }],
  ]);

/** QEMU's drivers of formats with another name in libvirt. */
const FORMAT_DRIVERS: ReadonlyMap<string, string> = new Map([["ploop", "parallels"]]);

/**
 * -blockdev for each file of the chain (`libvirt-N-storage`), for a slice of a file (`libvirt-N-slice-sto`)
 * and for each format (`libvirt-N-format`). A raw image is a single block node, with the guest's settings of
 * `<driver>`. qemu_block.c of libvirt
 */
export function formatNodes(numbered: NumberedDisk, launch: Launch | undefined): DiskNodes {
  const { disk, chain, firstNumber } = numbered;
  const files = filesOf(numbered);
  const images = files.filter(({ image }) => image.role !== "data-file");
  const words = images.map((file, depth) => {
    const data = files.find((found) => found.number === file.number + 1 && found.image.role === "data-file");
    return [
      ...(data === undefined ? [] : imageWords(data, {}, launch)),
      ...imageWords(
        file,
        { "data-file": data && nodeName(data), ...backing(images[depth + 1], chain.isWhole) },
        launch,
      ),
    ];
  });
  const [first] = images;
  if (first === undefined) return { words: [], top: "" };
  const filters = formatFilters(disk, nodeName(first), firstNumber + chain.elements.length);
  return { words: [...words.toReversed().flat(), ...filters.words], top: filters.top };
}

/** Lists the secrets of a disk's images, top first. */
export function listDiskSecrets(numbered: NumberedDisk): readonly SecretUse[] {
  return filesOf(numbered).flatMap(secretsOf);
}

function filesOf({ chain, disk, firstFdset, firstNumber, folder, path, sealed }: NumberedDisk): File[] {
  return chain.elements.map((image, index) => ({
    image,
    number: firstNumber + index,
    driver: disk.driver ?? {},
    disk,
    path: `${path}${sourceOf(chain, index)}`,
    fdset: firstFdset,
    folder,
    sealed,
  }));
}

interface File {
  readonly image: ChainImage;
  readonly number: number;
  readonly driver: DiskDriver;
  readonly disk: Disk;
  /** Path of its source in the XML. */
  readonly path: string;
  readonly fdset: number;
  readonly folder: string;
  readonly sealed: SecretPassing["sealed"];
}

type Json = Readonly<Record<string, unknown>>;

/** Path of an image's source below the disk. Each `<backingStore>` is nested in its overlay's. */
function sourceOf({ elements }: DiskChain, index: number): string {
  const isData = elements[index]?.role === "data-file";
  const above = elements.slice(0, index + 1).filter(({ role }) => role === "backing").length;
  return `${"/backingStore".repeat(above)}/source${isData ? "/dataStore/source" : ""}`;
}

/** Whether the image has a format node above its storage node. qemuBlockStorageSourceNeedsFormatLayer() */
function hasFormatNode({ encryption, format, slice }: ChainImage): boolean {
  return format !== "raw" || slice !== undefined || isDecryptedByQemu(encryption);
}

/** Whether the image's only format is raw: a slice of it needs no node of its own. */
function isPlain({ encryption, format }: ChainImage): boolean {
  return format === "raw" && !isDecryptedByQemu(encryption);
}

function nodeName({ image, number }: File): string {
  return `libvirt-${number}-${hasFormatNode(image) ? "format" : "storage"}`;
}

function imageWords(file: File, around: Json, launch: Launch | undefined): Arguments {
  refuseUnprovenSlice(file, launch);
  const { image, number, driver } = file;
  const before = [
    ...reservationArguments(file.disk, `libvirt-${number}-storage`, image.role),
    ...formatSecrets(secretsOf(file), { launch, sealed: file.sealed }),
    ...vdpaWords(file),
  ];
  const storage = storageNode(file, launch);
  if (!hasFormatNode(image))
    return [...before, ...jsonArguments("-blockdev", { ...storage, ...guestView(image, driver) })];
  const isRaw = image.format === "raw";
  const hasSliceNode = image.slice !== undefined && !isPlain(image);
  const format = {
    "node-name": `libvirt-${number}-format`,
    "read-only": image.readOnly,
    ...guestView(image, driver),
    driver: FORMAT_DRIVERS.get(image.format) ?? image.format,
    ...(isPlain(image) ? sliceKeys(image) : {}),
    ...decryptionKeys(file),
    ...qcow2Keys(image, driver),
    // A raw image has no backing file, and QEMU refuses the key.
    ...(isRaw ? {} : around),
    file: `libvirt-${number}-${hasSliceNode ? "slice-sto" : "storage"}`,
  };
  // `backing` is the last key.
  const { backing: below, ...rest } = format as typeof format & { readonly backing?: unknown };
  return [
    ...before,
    ...jsonArguments("-blockdev", storage),
    ...(hasSliceNode ? sliceWords(file, launch) : []),
    ...jsonArguments("-blockdev", { ...rest, ...(below === undefined ? {} : { backing: below }) }),
  ];
}

/** Refuses a slice with a cache mode before a start: libvirt's arguments for it are not known for certain. */
function refuseUnprovenSlice({ image, driver, path }: File, launch: Launch | undefined): void {
  if (image.slice === undefined || isPlain(image) || CACHES.get(driver.cache) === undefined) return;
  refuseUnproven(launch, `${path}/slices`, "the cache mode of a <slice>");
}

function qcow2Keys({ format, cacheBytes, role }: ChainImage, { discardNoUnref }: DiskDriver): Json {
  if (format !== "qcow2") return {};
  return { "discard-no-unref": role === "top" ? discardNoUnref : undefined, "cache-size": cacheBytes };
}

function sliceKeys({ slice }: ChainImage): Json {
  return { offset: slice?.offset, size: slice?.size };
}

function sliceWords({ image, number }: File, launch: Launch | undefined): Arguments {
  return jsonArguments("-blockdev", {
    driver: "raw",
    "node-name": `libvirt-${number}-slice-sto`,
    ...sliceKeys(image),
    file: `libvirt-${number}-storage`,
    ...laterAccess(image, launch),
    discard: "unmap",
  });
}

function vdpaWords({ image, number, fdset }: File): Arguments {
  if (image.place.type !== "vhostvdpa") return [];
  return ["-add-fd", `set=${fdset},fd=${fdset + 3},opaque=libvirt-${number}-storage-vdpa`];
}

function storageNode(file: File, launch: Launch | undefined): Json {
  const { image, number, driver } = file;
  const node = { ...placeKeys(file, launch), "node-name": `libvirt-${number}-storage` };
  if (!hasFormatNode(image)) return { ...node, "read-only": image.readOnly };
  return { ...node, ...laterAccess(image, launch), discard: "unmap", cache: CACHES.get(driver.cache) };
}

/** Access mode. QEMU cannot reopen a descriptor in another mode, so a start sets the final mode. */
function laterAccess({ readOnly }: ChainImage, launch: Launch | undefined): Json {
  return launch === undefined ? { "auto-read-only": true } : { "read-only": readOnly };
}

function placeKeys(file: File, launch: Launch | undefined): Json {
  const { image, disk, driver, number, path, fdset, folder } = file;
  const { place } = image;
  if (place.type === "vhostvdpa") return { driver: "virtio-blk-vhost-vdpa", path: `/dev/fdset/${fdset}` };
  if (place.type !== "file" && place.type !== "block") {
    const nbdkitSocket = `${folder}/nbdkit-libvirt-${number}-storage.socket`;
    const peer = peerOf(launch, path.replace(/\/source$/, ""));
    // No <dataStore> on the network is started, and its secrets are refused.
    const isOwn = image.role !== "data-file";
    const secrets = isOwn ? { login: loginKeys(file), encryption: librbdKeys(file) } : undefined;
    return remoteSource({ place, path, nbdkitSocket, peer, secrets });
  }
  return {
    driver: localDriver(image, place, launch),
    filename: filename(file, place.path, launch),
    ...lockingKeys(launch),
    aio: driver.io,
    "pr-manager": image.role === "top" ? reservationKeys(disk, `libvirt-${number}-storage`) : undefined,
  };
}

/**
 * Settings of the guest's view, on the uppermost block node of each image. qemuDomainPrepareDiskSourceData()
 */
function guestView({ role }: ChainImage, driver: DiskDriver): Json {
  const cache = CACHES.get(driver.cache);
  if (role !== "top") return { discard: driver.discard, cache };
  return { discard: driver.discard, "detect-zeroes": detectZeroes(driver), cache };
}

/** Zeroes become holes only if the guest may discard. virDomainDiskGetDetectZeroesMode() */
function detectZeroes({ detectZeroes: mode, discard }: DiskDriver): DiskDriver["detectZeroes"] {
  return mode === "unmap" && discard !== "unmap" ? "on" : mode;
}

function backing(below: File | undefined, isWhole: boolean): Json {
  if (below !== undefined) return { backing: nodeName(below) };
  return isWhole ? { backing: null } : {};
}

function localDriver(
  { readOnly }: ChainImage,
  { type, path }: { readonly type: "file" | "block"; readonly path: string },
  launch: Launch | undefined,
): string {
  if (type === "file") return "file";
  // libvirt inspects the device. Without inspection, only its usual name identifies a CD-ROM.
  return launch === undefined && readOnly && path === "/dev/cdrom" ? "host_cdrom" : "host_device";
}

function filename({ image, driver }: File, path: string, launch: Launch | undefined): string {
  const access = image.readOnly ? "read-only" : "read-write";
  const direct = isDirect(driver.cache);
  const found = launch?.descriptors.find(
    (passed) => passed.path === path && passed.access === access && passed.direct === direct,
  );
  return found === undefined ? path : fdsetPath(found);
}
