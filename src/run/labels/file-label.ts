import { SvirtError } from "../../errors.ts";
import type { FileAttributes } from "../../host/file-attributes.ts";
import type { OpenedFile } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import type { FileId } from "../../plan/facts/file.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import type { ClaimRegistry } from "../../registry/claims.ts";
import { LABEL, labelOf } from "./get-file-label.ts";
import {
  heldElsewhere,
  labelsSeenBy,
  type MachineMark,
  type MarkedFile,
  othersOf,
  readMachineMarks,
  removeMachineMarks,
  setMachineMark,
  UNKNOWN_MACHINE,
} from "./machine-marks.ts";
import {
  getRemembered,
  isStill,
  type Remembered,
  removeRemembered,
  setRemembered,
} from "./remembered-label.ts";
import { writeUdevRule } from "./udev-rule.ts";

// Rule: The last user of a file restores its label; storage without labels is refused.

/** Guest, host and registry for labelling, in addition to the step. */
export interface LabelActor {
  readonly host: Host;
  readonly registry: ClaimRegistry;
  readonly owner: string;
  /** Boot of the label; absent: the current boot. */
  readonly bootId?: string;
  /** Called for each file that keeps a guest's label after its end, with the reason. */
  readonly onKept?: (notice: string) => void;
}

/** Label of a file, and the attributes about it. */
export interface FileMarks {
  /** Names of all its attributes. */
  readonly names: readonly string[];
  readonly label: string | undefined;
  readonly remembered: Remembered | undefined;
  /** Machines with guests on the file. */
  readonly machines: readonly MachineMark[];
}

/** Reads the label of a file and all attributes about it, once. */
export function readMarks(host: Host, { file, id }: MarkedFile): FileMarks {
  const names = file.listXattrs();
  return {
    names,
    label: labelOf(file),
    remembered: getRemembered(file, names),
    machines: readMachineMarks(host, { file, id }, names),
  };
}

/**
 * Remembers the original label on the file, then labels it. Throws "denied" where files have no labels,
 * "in-use" when another machine has claimed the file in the meantime.
 */
export function setFileLabel(actor: LabelActor, step: StepOf<"set-label">): void {
  const { host, registry } = actor;
  const { claim, file: id, from, to } = step;
  const users = registry.listHolders("file", claim.key).length;
  host.withAttributes(id, (file) => {
    // The mark comes before the check: if two machines claim the file at the same time, at least one of them
    // sees the other's mark.
    setMachineMark(host, { file, id });
    const others = othersOf(host, readMachineMarks(host, { file, id }));
    if (others.length > 0 && (claim.sharing === "exclusive" || labelOf(file) !== to))
      throw heldElsewhere(id.path, others);
    const { inode } = id;
    if (from !== undefined)
      setRemembered(host, file, { original: from, users: users + others.length, inode });
    if (labelOf(file) !== to) putLabel(file, id.path, to);
  });
}

/** Changes the guest's claim on a file, and its label. Throws "in-use" when another user prevents it. */
export function changeFileLabel(actor: LabelActor, step: StepOf<"change-label">): void {
  const { file, to: claim, udevRule } = step;
  const { label, original } = claim;
  actor.registry.reserve(claim, actor.owner);
  if (label === undefined) return;
  // The rule comes first: udevd must not set the former label again.
  if (udevRule !== undefined) writeUdevRule(actor.host, { do: "write-udev-rule", ...udevRule, file, label });
  const from = original === undefined ? {} : { from: original };
  setFileLabel(actor, { do: "set-label", file, claim, to: label, ...from });
}

/**
 * Labels a file and remembers nothing. Throws "denied" where files have no labels, by the kernel's answer.
 */
export function putFileLabel(host: Host, file: FileId, label: string): void {
  host.withAttributes(file, (attributes) => putLabel(attributes, file.path, label));
}

/** Labels an open file, with `path` for the error. Throws "denied" where files have no labels. */
export function putLabel(file: FileAttributes, path: string, label: string): void {
  if (file.setXattr(LABEL, `${label}\0`)) return;
  const is = labelOf(file);
  const shown = is === undefined ? "none" : `${is}, the label of its mount`;
  throw new SvirtError(
    `Cannot label ${path}: its file system stores no labels (it has ${shown}), so SELinux could not keep other ` +
      "guests from it",
    {
      kind: "denied",
      remedy:
        "Move it to a file system with labels. On NFS, a folder of its own below a storage pool of type netfs is enough: the " +
        "guest's start mounts it. Or mount this one for that guest only, with " +
        `context="${label}" and a static label in the guest's XML. Or, if every guest may use its files, mount it with ` +
        `context="${withoutLevel(label)}" and write <seclabel model='selinux' relabel='no'/> into the source.`,
    },
  );
}

/** Returns the label of the same type at the lowest level, which requires no categories. */
function withoutLevel(label: string): string {
  return [...label.split(":").slice(0, 3), "s0"].join(":");
}

/**
 * Restores the original label if no other guest uses the file and it still has svirt's label. A missing or
 * replaced file is left alone. So is a file used by another machine, now or since this machine went down.
 */
export function restoreFileLabel(actor: LabelActor, step: StepOf<"restore-label">): void {
  const { host, registry, owner } = actor;
  host.withInspected(step.file.path, (file) => {
    if (!isLabelled(host, file, { file: step.file, label: step.from })) return;
    const { id } = file.facts;
    const marks = readMachineMarks(host, { file, id });
    if (mayBeTaken(actor, id, marks)) return;
    const others = othersOf(host, marks);
    const isOurs = labelOf(file) === step.from;
    // A start that was killed between its claim and its label is not a user of the label.
    const here = registry
      .listOthers(step.claim, owner)
      .filter((holder) => !isOurs || holder.label === step.from);
    if (here.length > 0) {
      const remembered = getRemembered(file);
      // A file without their label remembers nothing.
      const users = here.length + others.length;
      if (remembered !== undefined) setRemembered(host, file, { ...remembered, users, inode: id.inode });
      return;
    }
    if (others.length === 0) putBack(actor, file, step);
    else actor.onKept?.(`${id.path} keeps its label: another machine holds it, ${nameAll(others)}`);
    // The mark is removed last: as long as it exists, no other machine claims the file.
    removeMachineMarks(file, ownOf(marks, others));
  });
}

/**
 * Reports whether another machine may have claimed a file since this machine went down. If so, it calls
 * `onKept`: the label must stay, since this machine has no record of the time between.
 */
export function mayBeTaken(
  { bootId, host, onKept }: LabelActor,
  id: FileId,
  marks: readonly MachineMark[],
): boolean {
  if (bootId === undefined || bootId === host.getBootId()) return false;
  const through = labelsSeenBy(host, id);
  if (through === undefined) return false;
  const { path } = id;
  const others = othersOf(host, marks);
  const holder = others.length > 0 ? `another machine holds it, ${nameAll(others)}` : undefined;
  const command = marks.length > 0 ? `restore ${path}` : `release ${path} --machine ${UNKNOWN_MACHINE}`;
  onKept?.(
    `${path} keeps its label: ${holder ?? `other machines may have begun to use it, through ${through}; if none does, run svirt label ${command}`}`,
  );
  return true;
}

function ownOf(marks: readonly MachineMark[], others: readonly MachineMark[]): readonly MachineMark[] {
  return marks.filter((mark) => !others.includes(mark));
}

function nameAll(marks: readonly MachineMark[]): string {
  return marks.map(({ id, name }) => `${name} (${id})`).join(", ");
}

/**
 * Restores the label. Another label, remembered in another boot, belongs to a later guest, ended by a power
 * failure. It is left to the later guest's record.
 */
function putBack(
  { bootId, host }: LabelActor,
  file: FileAttributes,
  { from, to }: StepOf<"restore-label">,
): void {
  if (labelOf(file) === from) {
    if (to === undefined) file.removeXattr(LABEL);
    else file.setXattr(LABEL, `${to}\0`);
  } else if (isOfAnotherBoot(getRemembered(file), bootId ?? host.getBootId())) return;
  removeRemembered(host, file);
}

function isOfAnotherBoot(remembered: Remembered | undefined, bootId: string): boolean {
  return remembered?.bootId !== undefined && remembered.bootId !== bootId;
}

/**
 * Returns the current identity of the labelled file. After a reboot its device may have another number. Then
 * the inode identifies the file, if svirt labelled it in an earlier boot. A file without this memory must
 * still have the label.
 */
export function findLabelled(host: Host, file: FileId, label: string | undefined): FileId | undefined {
  return host.withInspected(file.path, (now) =>
    isLabelled(host, now, { file, label }) ? now.facts.id : undefined,
  );
}

function isLabelled(
  host: Host,
  now: OpenedFile,
  { file, label }: { readonly file: FileId; readonly label: string | undefined },
): boolean {
  return isStill(host, now, file) ?? labelOf(now) === label;
}
