import { imagePath } from "../../domain/devices/disk/images.ts";
import { SvirtError } from "../../errors.ts";
import { planStartJob, planWritable } from "../../plan/actions/block.ts";
import type { BlockJob } from "../../plan/facts/block-job.ts";
import { fileKey } from "../../plan/facts/file.ts";
import { listPlugged } from "../../plan/record/qemu-objects.ts";
import { commitCommand } from "../../qemu/monitor/block-job-commands.ts";
import { refuseWritten } from "../../resolve/written-place.ts";
import { type Node, registryOf } from "../../state/instance.ts";
import { type GuestRecord, readRecord } from "../../state/record.ts";
import type { AskedChange, DecidedChange } from "../change/change-guest.ts";
import { lookUpImage } from "./chain-lookup.ts";
import { findRunningDisk, linkOf, nodesOf, type RunningDisk, type RunningImage } from "./running-disk.ts";

/** Options of a block commit. */
export interface CommitWish {
  /** The disk's target or source. */
  readonly path: string;
  /** Undefined: the disk's own image. */
  readonly top: string | undefined;
  /** Undefined: the lowest image, or with `isShallow` the one below the top. */
  readonly base: string | undefined;
  readonly isShallow: boolean;
  /** The top is the disk's own image, which the guest keeps writing to. */
  readonly isActive: boolean;
  readonly bytesPerSecond: number | undefined;
}

/** Commits the data of images above the base into it. */
export function commitLive(node: Node, wish: CommitWish): AskedChange {
  return { what: `commit ${wish.path}`, decide: (guest) => decideCommit(node, guest, wish) };
}

function decideCommit(node: Node, guest: GuestRecord, wish: CommitWish): DecidedChange {
  const disk = findRunningDisk(node, guest, wish.path);
  const { base, baseAt, top, topAt } = chooseImages(node, disk, wish);
  refuseOtherUser(node, guest, { disk, base });
  // The base was read-only content so far.
  refuseWritten(node.host, base.found.facts);
  const target = disk.disk.target.dev;
  const isActive = topAt === 0;
  const job: BlockJob = {
    type: isActive ? "active-commit" : "commit",
    disk: target,
    device: disk.device,
    job: `commit-${target}-${base.layer.node}`,
    before: nodesOf(disk),
    chain: [...disk.images.slice(0, topAt), ...disk.images.slice(baseAt)].map(linkOf),
  };
  const command = commitCommand({
    job: job.job ?? "",
    device: disk.images[0].layer.node,
    top: top.layer.node,
    base: base.layer.node,
    backingFile: isActive ? undefined : base.found.path,
    bytesPerSecond: wish.bytesPerSecond,
  });
  return {
    steps: [
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
function chooseImages(node: Node, disk: RunningDisk, wish: CommitWish): Chosen {
  const { images } = disk;
  const path = imagePath(disk.disk);
  const topAt = wish.top === undefined ? 0 : lookUpImage(node, disk, { name: wish.top, above: -1 });
  const top = images[topAt] ?? images[0];
  if (topAt === 0 && !wish.isActive) {
    throw refuse(
      `invalid argument: commit of '${disk.disk.target.dev}' active layer requires active flag`,
      "Add --active, or name an image below with --top.",
    );
  }
  if (topAt > 0 && wish.isActive) {
    throw refuse(
      `invalid argument: active commit requested but '${top.found.path}' is not active`,
      "Leave --active and --pivot out, or --top.",
    );
  }
  if (topAt === images.length - 1) {
    throw refuse(
      `invalid argument: top '${top.found.path}' in chain for '${path}' has no backing file`,
      "There is nothing to commit into.",
    );
  }
  const lowest = wish.isShallow ? topAt + 1 : images.length - 1;
  const baseAt =
    wish.base === undefined ? lowest : lookUpImage(node, disk, { name: wish.base, above: topAt });
  const base = images[baseAt] ?? images[0];
  if (wish.isShallow && baseAt !== topAt + 1) {
    throw refuse(
      `invalid argument: base '${base.found.path}' is not immediately below '${top.found.path}' in chain for '${path}'`,
      "Leave --shallow or --base out.",
    );
  }
  return { top, topAt, base, baseAt };
}

/** Refuses a base with another user, who would see it change. Throws "label-taken". */
function refuseOtherUser(
  node: Node,
  guest: GuestRecord,
  { base, disk }: { readonly disk: RunningDisk; readonly base: RunningImage },
): void {
  for (const file of base.layer.files.values()) {
    const other = registryOf(node)
      .listHolders("file", fileKey(file))
      .find(({ owner }) => owner !== guest.uuid);
    if (other !== undefined) throw taken(file.path, `guest ${nameOf(node, other.owner)}`);
    const isElsewhere = [...listPlugged(guest.steps).files].some(
      ([set, one]) => fileKey(one) === fileKey(file) && !isOfDisk(disk, set),
    );
    if (isElsewhere || isSharedNode(guest, disk, base)) throw taken(file.path, "guest's other disk");
  }
}

function isOfDisk({ images }: RunningDisk, set: number): boolean {
  return images.some(({ layer }) => layer.files.has(set));
}

/** Reports whether two disks have one file that is opened once: their block nodes read from the same set. */
function isSharedNode(guest: GuestRecord, disk: RunningDisk, { layer }: RunningImage): boolean {
  const own = new Set(disk.images.flatMap(({ layer: one }) => one.nodes));
  const names = [...layer.files.keys()].map((set) => `/dev/fdset/${set}`);
  return [...listPlugged(guest.steps).nodes].some(
    ([name, facts]) => !own.has(name) && names.includes(String(facts["filename"])),
  );
}

function nameOf(node: Node, uuid: string): string {
  return readRecord(node, uuid)?.name ?? uuid;
}

function taken(path: string, who: string): SvirtError {
  return new SvirtError(`Cannot commit into ${path}: the ${who} uses it, and would see it change`, {
    kind: "label-taken",
    remedy: "Stop that guest, or pull what is below into this disk: svirt blockpull",
  });
}

function refuse(message: string, remedy: string): SvirtError {
  return new SvirtError(message, { kind: "usage", remedy });
}
