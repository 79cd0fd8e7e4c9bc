import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { planStartJob } from "../../plan/actions/block.ts";
import type { BlockJob } from "../../plan/facts/block-job.ts";
import type { Step } from "../../plan/steps/step.ts";
import { mirrorCommand } from "../../qemu/monitor/block-job-commands.ts";
import { imageSize } from "../../resolve/image-size.ts";
import type { Node } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import type { AskedChange, DecidedChange } from "../change/change-guest.ts";
import { placeOfNew, planNew, plugImage } from "./new-image.ts";
import { inspectReused } from "./reused-image.ts";
import { findRunningDisk, linkOf, nodesOf, type RunningDisk, type RunningImage } from "./running-disk.ts";

const QCOW2_REMEDY = "Give --format qcow2.";

/** Options of a block copy. */
export interface CopyWish {
  /** The disk's target or source. */
  readonly path: string;
  readonly dest: string;
  readonly storage: "file" | "block";
  /** Undefined: the format of the disk's own image. */
  readonly format: "raw" | "qcow2" | undefined;
  /** Copies only the disk's own image: the copy gets the same backing file. */
  readonly isShallow: boolean;
  /** The destination exists already. */
  readonly reuses: boolean;
  readonly bytesPerSecond: number | undefined;
  readonly granularity: number | undefined;
  readonly bufferBytes: number | undefined;
  readonly isSynchronous: boolean;
}

/** Copies a disk to another image, and mirrors the guest's writes until the job is pivoted or aborted. */
export function copyLive(node: Node, wish: CopyWish): AskedChange {
  return {
    what: `copy ${wish.path}`,
    make: (guest) => listMade(node, findRunningDisk(node, guest, wish.path), wish),
    decide: (guest) => decideCopy(node, guest, wish),
  };
}

type MakeImage = Extract<Step, { do: "make-image" }>;

function listMade(node: Node, disk: RunningDisk, wish: CopyWish): MakeImage[] {
  if (!makesImage(wish)) return [];
  const { below, format } = decideCopied(disk, wish);
  const backing =
    below === undefined ? {} : { backing: { path: below.found.path, format: below.found.format } };
  return [
    planNew(node, {
      path: wish.dest,
      image: { format, sizeBytes: imageSize(node, disk.images[0].found), ...backing },
      taken: `external destination file for disk ${disk.disk.target.dev} already exists and is not a block device`,
    }),
  ];
}

function decideCopy(node: Node, guest: GuestRecord, wish: CopyWish): DecidedChange {
  const disk = findRunningDisk(node, guest, wish.path);
  const [top, ...others] = disk.images;
  const { below, format } = decideCopied(disk, wish);
  const facts = makesImage(wish) ? undefined : findDest(node, disk, wish);
  const wanted = { path: wish.dest, format, storage: wish.storage, facts, backing: below?.layer.node };
  const plugged = plugImage(node, guest, { disk, wanted });
  const target = disk.disk.target.dev;
  const name = `copy-${target}-${top.layer.node}`;
  const job: BlockJob = {
    type: "copy",
    disk: target,
    device: disk.device,
    job: name,
    before: nodesOf(disk),
    chain: [plugged.link, ...(below === undefined ? [] : others.map(linkOf))],
    ...(makesImage(wish) ? { made: placeOfNew(node, wish.dest) } : {}),
  };
  const command = mirrorCommand({
    ...wish,
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
function makesImage({ reuses, storage }: CopyWish): boolean {
  return !reuses && storage === "file";
}

/** Returns the copy's format and its backing image: none, unless only the disk's own image is copied. */
function decideCopied(
  disk: RunningDisk,
  wish: CopyWish,
): { readonly format: "raw" | "qcow2"; readonly below: RunningImage | undefined } {
  const [top, next] = disk.images;
  const below = wish.isShallow ? next : undefined;
  const format = wish.format ?? top.found.format;
  const target = disk.disk.target.dev;
  if (format === "qed")
    throw new SvirtError(`Cannot copy ${target}: svirt makes no images of format qed`, {
      kind: "unsupported",
      remedy: QCOW2_REMEDY,
    });
  if (format === "raw" && below !== undefined)
    throw new SvirtError(
      `invalid argument: shallow copy of disk '${target}' into a raw file is not possible`,
      { kind: "unsupported", libvirt: "INVALID_ARG", remedy: QCOW2_REMEDY },
    );
  return { format, below };
}

function findDest(node: Node, disk: RunningDisk, wish: CopyWish): FileFacts {
  const { below, format } = decideCopied(disk, wish);
  const target = disk.disk.target.dev;
  const facts = inspectReused(node, {
    image: { path: wish.dest, format: wish.reuses ? format : "raw" },
    below,
    missing: `missing destination file for disk ${target}: ${wish.dest}`,
  });
  if (facts.type === wish.storage) return facts;
  throw new SvirtError(
    `blockdev flag requested for disk ${target}, but file '${wish.dest}' is not a block device`,
    { kind: "usage", remedy: "Give --blockdev for a block device, and for nothing else." },
  );
}
