import { isDiskNamed } from "../../domain/devices/disk/facts.ts";
import { writesBelow } from "../../domain/devices/disk/images.ts";
import {
  type Encryption,
  encryptionOf,
  hasEncryption,
  type PassphraseName,
} from "../../domain/devices/disk/secrets.ts";
import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { planStartJob } from "../../plan/actions/block.ts";
import type { BlockJob } from "../../plan/facts/block-job.ts";
import type { Step } from "../../plan/steps/step.ts";
import { mirrorCommand } from "../../qemu/monitor/block-job-commands.ts";
import { imageSize } from "../../resolve/image-size.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import type { ChangeRequest, DecidedChange } from "../change/change-guest.ts";
import { findRunning } from "../guest/find-domain.ts";
import { runningGuest } from "../guest/running-guest.ts";
import { luksOf, makeHeaders, PLACE_OF_ENCRYPTION, passphraseIn } from "./new-encryption.ts";
import { headerFormat, placeOfNew, planNew, plugImage } from "./new-image.ts";
import { inspectReused } from "./reused-image.ts";
import {
  findRunningDisk,
  linkOf,
  listImagePaths,
  nodesOf,
  type RunningDisk,
  type RunningImage,
} from "./running-disk.ts";

const QCOW2_REMEDY = "Give --format qcow2.";

/** Options of a block copy. */
export interface CopyOptions {
  /** The disk's target or source. */
  readonly path: string;
  readonly dest: string;
  readonly storage: "file" | "block";
  /** Undefined: the format of the disk's own image. */
  readonly format: "raw" | "qcow2" | undefined;
  /** Encryption of the copy; undefined: it has none, as in libvirt, even if the disk has. */
  readonly encryption?: Encryption | undefined;
  /** Copies only the disk's own image: the copy gets the same backing file. */
  readonly isShallow: boolean;
  /** The destination already exists. */
  readonly reuses: boolean;
  readonly bytesPerSecond: number | undefined;
  readonly granularity: number | undefined;
  readonly bufferBytes: number | undefined;
  readonly isSynchronous: boolean;
}

/** Copies a disk to another image, and mirrors the guest's writes until the job is pivoted or aborted. */
export function copyLive(instance: Instance, options: CopyOptions): ChangeRequest {
  const make = (guest: GuestRecord): readonly MakeImage[] =>
    listMade(instance, findRunningDisk(instance, guest, options.path), options);
  return {
    what: `copy ${options.path}`,
    paths: (guest) => listImagePaths(guest, options.dest),
    make,
    ...(options.encryption === undefined
      ? {}
      : { headers: (guest) => makeHeaders(instance, make(guest), PLACE_OF_ENCRYPTION.copy) }),
    decide: (guest) => decideCopy(instance, guest, options),
  };
}

/**
 * Returns the target of a disk with encrypted images and an unencrypted copy; undefined for others. Throws
 * "not-found" for a guest without a process.
 */
export function findDecrypted(
  instance: Instance,
  key: string,
  { encryption, isShallow, path }: Pick<CopyOptions, "encryption" | "isShallow" | "path">,
): string | undefined {
  if (encryption !== undefined) return undefined;
  const { disks } = runningGuest(findRunning(instance, key).guest).domain.devices;
  const disk = disks.find((one) => isDiskNamed(one, path));
  if (disk === undefined) return undefined;
  const isDecrypted = isShallow ? encryptionOf(disk) !== undefined : hasEncryption(disk);
  return isDecrypted ? disk.target.dev : undefined;
}

type MakeImage = Extract<Step, { do: "make-image" }>;

function listMade(instance: Instance, disk: RunningDisk, options: CopyOptions): MakeImage[] {
  if (!makesImage(options)) return [];
  const { below, format, secret } = decideCopied(disk, options);
  const backing =
    below === undefined ? {} : { backing: { path: below.found.path, format: headerFormat(below.found) } };
  return [
    planNew(instance, {
      path: options.dest,
      image: { format, sizeBytes: imageSize(instance, disk.images[0].found), ...backing, ...luksOf(secret) },
      taken: `external destination file for disk ${disk.disk.target.dev} already exists and is not a block device`,
    }),
  ];
}

function decideCopy(instance: Instance, guest: GuestRecord, options: CopyOptions): DecidedChange {
  const disk = findRunningDisk(instance, guest, options.path);
  const [top, ...others] = disk.images;
  const { below, format, secret } = decideCopied(disk, options);
  const facts = makesImage(options) ? undefined : findDest(instance, disk, options);
  const { dest: path, storage } = options;
  const wanted = { path, format, storage, secret, facts, backing: below?.layer.node };
  const plugged = plugImage(instance, guest, { disk, wanted });
  const target = disk.disk.target.dev;
  const name = `copy-${target}-${top.layer.node}`;
  const job: BlockJob = {
    type: "copy",
    disk: target,
    device: disk.device,
    job: name,
    before: nodesOf(disk),
    chain: [plugged.link, ...(below === undefined ? [] : others.map(linkOf))],
    ...(makesImage(options) ? { made: placeOfNew(instance, options.dest) } : {}),
  };
  const command = mirrorCommand({
    ...options,
    job: name,
    device: top.layer.node,
    target: plugged.link.node,
    isShallow: below !== undefined,
  });
  return {
    steps: [...plugged.steps, planStartJob(job, command, disk.facts.monitor)],
    after: [],
    xml: guest.xml,
    jobs: [...(guest.jobs ?? []), job],
  };
}

/** A block device exists in any case. */
function makesImage({ reuses, storage }: CopyOptions): boolean {
  return !reuses && storage === "file";
}

/** Returns the copy's format and its backing image: none, unless only the disk's own image is copied. */
function decideCopied(
  disk: RunningDisk,
  options: CopyOptions,
): {
  readonly format: "raw" | "qcow2";
  readonly below: RunningImage | undefined;
  readonly secret: PassphraseName | undefined;
} {
  const [top, next] = disk.images;
  const below = options.isShallow ? next : undefined;
  const format = options.format ?? top.found.format;
  const target = disk.disk.target.dev;
  if (format === "qed")
    throw new SvirtError(`Cannot copy ${target}: svirt does not create qed images`, {
      kind: "unsupported",
      remedy: QCOW2_REMEDY,
    });
  if (format === "raw" && below !== undefined)
    throw new SvirtError(
      `invalid argument: shallow copy of disk '${target}' into a raw file is not possible`,
      { kind: "unsupported", libvirt: "INVALID_ARG", remedy: QCOW2_REMEDY },
    );
  return { format, below, secret: passphraseIn(options.encryption, target, PLACE_OF_ENCRYPTION.copy) };
}

function findDest(instance: Instance, disk: RunningDisk, options: CopyOptions): FileFacts {
  const { below, format, secret } = decideCopied(disk, options);
  const [, ...others] = disk.images;
  const target = disk.disk.target.dev;
  if (secret !== undefined && !options.reuses) throw unencryptedDevice(target, options.dest);
  const facts = inspectReused(instance, {
    image: {
      path: options.dest,
      format: options.reuses ? format : "raw",
      ...(secret === undefined ? {} : { isEncrypted: true }),
    },
    below,
    isWritten: writesBelow(disk.disk, below === undefined ? [] : others),
    missing: `missing destination file for disk ${target}: ${options.dest}`,
  });
  if (facts.type === options.storage) return facts;
  throw new SvirtError(
    `blockdev flag requested for disk ${target}, but file '${options.dest}' is not a block device`,
    { kind: "usage", remedy: "Use --blockdev for a block device only." },
  );
}

/** svirt makes no image on a device: QEMU writes a copy of the bare disk there. */
function unencryptedDevice(target: string, dest: string): SvirtError {
  return new SvirtError(
    `Operation not supported: svirt does not encrypt the device ${dest} for a copy of ${target}`,
    {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      remedy: "Encrypt it first, and add --reuse-external: cryptsetup luksFormat --type luks1",
    },
  );
}
