import { planStartJob } from "../../plan/actions/block.ts";
import type { BlockJob } from "../../plan/facts/block-job.ts";
import { streamCommand } from "../../qemu/monitor/block-job-commands.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import type { ChangeRequest, DecidedChange } from "../change/change-guest.ts";
import { lookUpImage } from "./chain-lookup.ts";
import { findRunningDisk, linkOf, listImagePaths, nodesOf } from "./running-disk.ts";

/** Options of a block pull. */
export interface PullOptions {
  /** The disk's target or source. */
  readonly path: string;
  /** Backing image kept by the disk; undefined: none. */
  readonly base: string | undefined;
  readonly bytesPerSecond: number | undefined;
}

/** Copies the data of backing images into a disk's own image, which then keeps only the base below it. */
export function pullLive(instance: Instance, options: PullOptions): ChangeRequest {
  return {
    what: `pull ${options.path}`,
    paths: (guest) => listImagePaths(guest),
    decide: (guest) => decidePull(instance, guest, options),
  };
}

function decidePull(instance: Instance, guest: GuestRecord, options: PullOptions): DecidedChange {
  const disk = findRunningDisk(instance, guest, options.path);
  const [top] = disk.images;
  const baseAt =
    options.base === undefined
      ? disk.images.length
      : lookUpImage(instance, disk, { name: options.base, above: 0 });
  const kept = disk.images.slice(baseAt);
  const target = disk.disk.target.dev;
  const job: BlockJob = {
    type: "pull",
    disk: target,
    device: disk.device,
    job: `pull-${target}-${top.layer.node}`,
    before: nodesOf(disk),
    chain: [top, ...kept].map(linkOf),
  };
  const [base] = kept;
  const command = streamCommand({
    job: job.job ?? "",
    device: top.layer.node,
    base: base === undefined ? undefined : { node: base.layer.node, path: base.found.path },
    bytesPerSecond: options.bytesPerSecond,
  });
  return {
    steps: [planStartJob(job, command, disk.facts.monitor)],
    after: [],
    xml: guest.xml,
    jobs: [...(guest.jobs ?? []), job],
  };
}
