import { imagePath } from "../../domain/devices/disk/images.ts";
import { SvirtError } from "../../errors.ts";
import { decideMark } from "../../labelling/format-marks.ts";
import { planStartJob, planWritable } from "../../plan/actions/block.ts";
import { planMark } from "../../plan/actions/start.ts";
import type { BlockJob } from "../../plan/facts/block-job.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import { givenFormatOf } from "../../plan/facts/given-format.ts";
import { listQemuObjects } from "../../plan/record/qemu-objects.ts";
import { commitCommand } from "../../qemu/monitor/block-job-commands.ts";
import { refuseWritten } from "../../resolve/places/writable-places.ts";
import { type Instance, registryOf } from "../../state/instance.ts";
import { type GuestRecord, readRecord } from "../../state/record.ts";
import type { ChangeRequest, DecidedChange } from "../change/change-guest.ts";
import { lookUpImage } from "./chain-lookup.ts";
import {
  findRunningDisk,
  linkOf,
  listImagePaths,
  nodesOf,
  type RunningDisk,
  type RunningImage,
} from "./running-disk.ts";

/** Options of a block commit. */
export interface CommitOptions {
  /** The disk's target or source. */
  readonly path: string;
  /** Undefined: the disk's own image. */
  readonly top: string | undefined;
  /** Undefined: the lowest image, or with `isShallow` the image below the top. */
  readonly base: string | undefined;
  readonly isShallow: boolean;
  /** The top is the disk's own image, still written by the guest. */
  readonly isActive: boolean;
  readonly bytesPerSecond: number | undefined;
}

/** Commits the data of images above the base into it. */
export function commitLive(instance: Instance, options: CommitOptions): ChangeRequest {
  return {
    what: `commit ${options.path}`,
    paths: (guest) => listImagePaths(guest),
    decide: (guest) => decideCommit(instance, guest, options),
  };
}

function decideCommit(instance: Instance, guest: GuestRecord, options: CommitOptions): DecidedChange {
  const disk = findRunningDisk(instance, guest, options.path);
  const { base, baseAt, top, topAt } = chooseImages(instance, disk, options);
  refuseOtherUser(instance, guest, { disk, base });
  // Until now the base was read-only content.
  refuseWritten(instance.host, base.found.facts);
  const { id, type } = base.found.facts;
  const isFile = type === "file";
  const target = disk.disk.target.dev;
  const isActive = topAt === 0;
  const job: BlockJob = {
    type: isActive ? "active-commit" : "commit",
    disk: target,
    device: disk.device,
    job: `${isActive ? "active-commit" : "commit"}-${target}-${base.layer.node}`,
    before: nodesOf(disk),
    chain: [...disk.images.slice(0, topAt), ...disk.images.slice(baseAt)].map(linkOf),
  };
  const command = commitCommand({
    job: job.job ?? "",
    device: disk.images[0].layer.node,
    top: top.layer.node,
    base: base.layer.node,
    backingFile: isActive ? undefined : base.found.path,
    bytesPerSecond: options.bytesPerSecond,
  });
  return {
    steps: [
      ...planMark({ id, mark: decideMark(instance, id, isFile ? givenFormatOf(base.found) : undefined) }),
      ...planWritable(guest.steps, base.layer.node, disk.facts),
      planStartJob(job, command, disk.facts.monitor),
    ],
    after: [],
    xml: guest.xml,
    jobs: [...(guest.jobs ?? []), job],
  };
}

interface Chosen {
  readonly top: RunningImage;
  readonly topAt: number;
  readonly base: RunningImage;
  readonly baseAt: number;
}

/** qemuDomainBlockCommit() of libvirt */
function chooseImages(instance: Instance, disk: RunningDisk, options: CommitOptions): Chosen {
  const { images } = disk;
  const path = imagePath(disk.disk);
  refuseSingle(disk, options);
  const topAt = options.top === undefined ? 0 : lookUpImage(instance, disk, { name: options.top, above: -1 });
  const top = images[topAt] ?? images[0];
  if (topAt === 0 && !options.isActive) {
    throw refuse(
      `invalid argument: commit of '${disk.disk.target.dev}' active layer requires active flag`,
      "Add --active, or name a backing image with --top.",
    );
  }
  if (topAt > 0 && options.isActive) {
    throw refuse(
      `invalid argument: active commit requested but '${top.found.path}' is not active`,
      "Leave out --active and --pivot, or --top.",
    );
  }
  if (topAt === images.length - 1) {
    throw refuse(
      `invalid argument: top '${top.found.path}' in chain for '${path}' has no backing file`,
      "Name an image that has a backing file: --top PATH",
    );
  }
  const lowest = options.isShallow ? topAt + 1 : images.length - 1;
  const baseAt =
    options.base === undefined ? lowest : lookUpImage(instance, disk, { name: options.base, above: topAt });
  const base = images[baseAt] ?? images[0];
  if (options.isShallow && baseAt !== topAt + 1) {
    throw refuse(
      `invalid argument: base '${base.found.path}' is not immediately below '${top.found.path}' in chain for '${path}'`,
      "Leave out --shallow or --base.",
    );
  }
  return { top, topAt, base, baseAt };
}

/** Refuses a disk of a single image. virStorageSourceChainLookup() of libvirt, before the flags */
function refuseSingle({ disk, domain, images }: RunningDisk, { base, isShallow, top }: CommitOptions): void {
  if (images.length > 1 || base !== undefined || top !== undefined || isShallow) return;
  throw new SvirtError(`invalid argument: could not find base image in chain for '${disk.target.dev}'`, {
    kind: "usage",
    from: "STORAGE",
    remedy: `The disk has one image alone: svirt domblklist ${domain.name}`,
  });
}

/**
 * Refuses a base used by another guest, or by another disk of this guest: its content would change for the
 * other user. Throws "in-use".
 */
function refuseOtherUser(
  instance: Instance,
  guest: GuestRecord,
  { base, disk }: { readonly disk: RunningDisk; readonly base: RunningImage },
): void {
  for (const file of base.layer.files.values()) {
    const [other] = registryOf(instance).listOthers({ kind: "file", key: fileKey(file) }, guest.uuid);
    if (other !== undefined) throw taken(file.path, `guest ${nameOf(instance, other.owner)}`);
    const isElsewhere = [...listQemuObjects(guest.steps).files].some(
      ([set, one]) => fileKey(one) === fileKey(file) && !isOfDisk(disk, set),
    );
    if (isElsewhere || isSharedNode(guest, disk, base)) throw taken(file.path, "guest's other disk");
  }
}

function isOfDisk({ images }: RunningDisk, set: number): boolean {
  return images.some(({ layer }) => layer.files.has(set));
}

/** Reports whether two disks share a file opened once: their block nodes read from the same set. */
function isSharedNode(guest: GuestRecord, disk: RunningDisk, { layer }: RunningImage): boolean {
  const own = new Set(disk.images.flatMap(({ layer: one }) => one.nodes));
  const names = [...layer.files.keys()].map((set) => `/dev/fdset/${set}`);
  return [...listQemuObjects(guest.steps).nodes].some(
    ([name, facts]) => !own.has(name) && names.includes(String(facts["filename"])),
  );
}

function nameOf(instance: Instance, uuid: string): string {
  return readRecord(instance, uuid)?.name ?? uuid;
}

function taken(path: string, who: string): SvirtError {
  return new SvirtError(
    `Cannot commit into ${path}: the ${who} uses that image, and a commit would change it`,
    {
      kind: "in-use",
      remedy: "Stop that guest, or pull the backing images into this disk: svirt blockpull",
    },
  );
}

function refuse(message: string, remedy: string): SvirtError {
  return new SvirtError(message, { kind: "usage", remedy });
}
