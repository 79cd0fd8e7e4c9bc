import { sharingOf } from "../../label/file-label.ts";
import type { FileRole } from "../../label/role.ts";
import { LABEL_ROLES } from "../../label/roles.ts";
import { deleteCommand } from "../../qemu/monitor/plug-commands.ts";
import type { ChangeSteps } from "../change/change-steps.ts";
import type { BlockJob } from "../facts/block-job.ts";
import type { FileId } from "../facts/file.ts";
import { fileKey } from "../facts/file-key.ts";
import type { Claim, MonitorCommand } from "../facts/step-parts.ts";
import { layerOf, planAccess, type RecordedImage, secretsIn } from "../record/disk-chain.ts";
import { listQemuObjects, type Plugged } from "../record/qemu-objects.ts";
import { isInOwnMount } from "../steps/inverse.ts";
import type { Step } from "../steps/step.ts";
import { type Behind, planGiveBack, planUnplug } from "./hotplug.ts";

// Rule: Each block job has its own changes of labels.

/** Facts about a guest for a plan, in addition to its steps. */
export interface BlockFacts {
  readonly monitor: string;
  /** Whether the disk's files bypass the host's page cache. */
  readonly direct: boolean;
  /** Label of each possible role of an image; undefined: files keep theirs. */
  readonly labels: Readonly<Record<Extract<FileRole, "private" | "content">, string | undefined>>;
}

/** Plans writing to a backing image: the guest claims it exclusively, then QEMU reopens it for writing. */
export function planWritable(done: readonly Step[], node: string, facts: BlockFacts): Step[] {
  const plugged = listQemuObjects(done);
  const layer = layerOf(plugged, node);
  return [
    ...planUse(done, layer, labelFor("written-below", facts)),
    planAccess(plugged, layer, { access: "read-write", ...facts }),
  ];
}

/** Plans the start of a job. An image created for it stays. */
export function planStartJob(
  job: BlockJob,
  command: MonitorCommand,
  monitor: string,
): Extract<Step, { do: "start-job" }> {
  const made = job.made === undefined ? {} : { made: job.made };
  return { do: "start-job", monitor, job: job.job ?? "", command, ...made };
}

/**
 * Plans the end of a job. QEMU reopens backing images read-only, and they get the content label. Files that
 * the guest released get their original labels back. An unused overlay is removed.
 */
export function planConclusion(
  done: readonly Step[],
  ended: { readonly job: BlockJob; readonly isDone: boolean },
  facts: BlockFacts,
): ChangeSteps {
  const { isDone, job } = ended;
  const all = new Set([...job.before, ...job.chain.map(({ node }) => node)]);
  const chain = isDone ? job.chain.map(({ node }) => node) : job.before;
  const adopt = planAdopt(job, isDone ? chain : [], facts.monitor);
  const plugged = listQemuObjects([...done, adopt]);
  const below = chain.slice(1).map((node) => layerOf(plugged, node));
  const writable = below.filter(({ files }) => [...files.values()].some((file) => isExclusive(done, file)));
  const unplugs: Step[] = [];
  for (const node of all) {
    if (chain.includes(node)) continue;
    const now = listQemuObjects([...done, adopt, ...unplugs]);
    unplugs.push(planUnplug(now, behindLayer(now, layerOf(now, node)), { monitor: facts.monitor }));
  }
  const label = labelFor("only-read", facts);
  return {
    steps: [],
    after: [
      adopt,
      ...writable.map((layer) => planAccess(plugged, layer, { access: "read-only", ...facts })),
      ...unplugs,
      ...writable.flatMap((layer) => planUse(done, layer, label)),
      ...planGiveBack(done, [...done, adopt, ...unplugs]),
      ...planRemoval(done, ended),
    ],
  };
}

/** Returns the claim of the file with the key. */
export function claimIn(done: readonly Step[], key: string): Claim | undefined {
  for (const step of done) {
    if (step.do === "reserve" && step.claim.kind === "file" && step.claim.key === key) return step.claim;
  }
  return undefined;
}

type UdevRule = NonNullable<Extract<Step, { do: "change-label" }>["udevRule"]>;

function ruleIn(done: readonly Step[], key: string): UdevRule | undefined {
  for (const step of done) {
    if (step.do === "write-udev-rule" && fileKey(step.file) === key)
      return { path: step.path, type: step.type };
  }
  return undefined;
}

function planAdopt(job: BlockJob, chain: readonly string[], monitor: string): Step {
  return {
    do: "adopt-chain",
    monitor,
    device: job.device,
    chain: [...chain],
    ...(job.job === undefined ? {} : { job: job.job }),
    ...(chain.length > 0 && job.made !== undefined ? { made: job.made } : {}),
  };
}

/** Returns the label and sharing of an image during a job or after it. */
function labelFor(
  use: "written-below" | "only-read",
  { labels }: BlockFacts,
): Pick<Claim, "sharing"> & { label: string | undefined } {
  const { role } = LABEL_ROLES["block-job"][use];
  return { sharing: sharingOf(role), label: labels[role] };
}

/** Plans the change of an image's files to another sharing. */
function planUse(
  done: readonly Step[],
  layer: RecordedImage,
  to: Pick<Claim, "sharing"> & { label: string | undefined },
): Step[] {
  return [...layer.files.values()].flatMap((file): Step[] => {
    const from = claimIn(done, fileKey(file));
    // In a folder mounted for the guest no file has another label, and no guest shares a file.
    if (from === undefined || from.sharing === to.sharing || isInOwnMount(done, file.path)) return [];
    const label = from.label === undefined || to.label === undefined ? {} : { label: to.label };
    const rule = ruleIn(done, fileKey(file));
    const changed = { ...from, ...label, sharing: to.sharing };
    return [
      { do: "change-label", file, from, to: changed, ...(rule === undefined ? {} : { udevRule: rule }) },
    ];
  });
}

function planRemoval(
  done: readonly Step[],
  { isDone, job }: { readonly job: BlockJob; readonly isDone: boolean },
): Step[] {
  if (isDone) return [];
  return done.flatMap((step) =>
    step.do === "make-image" && step.path === job.made ? [{ ...step, do: "remove-image" as const }] : [],
  );
}

function isExclusive(done: readonly Step[], file: FileId): boolean {
  return claimIn(done, fileKey(file))?.sharing === "exclusive";
}

function behindLayer(plugged: Plugged, { files, nodes }: RecordedImage): Behind {
  const secrets = nodes.flatMap((node) => secretsIn(plugged.nodes.get(node)));
  const made = [
    ...nodes.map((node) => ({ execute: "blockdev-add", arguments: { "node-name": node } })),
    ...secrets.map((id) => ({ execute: "object-add", arguments: { id } })),
  ];
  return {
    commands: made.flatMap((command) => deleteCommand(command) ?? []),
    names: new Set([...nodes, ...secrets]),
    sets: new Set(files.keys()),
    peers: new Set(),
  };
}
