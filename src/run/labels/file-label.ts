import { SvirtError } from "../../errors.ts";
import type { FileAttributes, Host, OpenedFile } from "../../host/host.ts";
import type { FileId } from "../../plan/facts/file.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { ClaimRegistry } from "../../registry/claims.ts";
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

const LABEL = "security.selinux";

/** What labelling needs besides the step: whose label it is, and who else uses the file. */
export interface LabelActor {
  readonly host: Host;
  readonly registry: ClaimRegistry;
  readonly owner: string;
  /** The boot that the label was given in; absent: this one. */
  readonly bootId?: string;
  /** Told of what keeps a guest's label when it ends, and why. */
  readonly onKept?: (notice: string) => void;
}

/** What a file carries, and what it says of that. */
export interface FileMarks {
  /** All its attributes. */
  readonly names: readonly string[];
  readonly label: string | undefined;
  readonly remembered: Remembered | undefined;
  /** The machines whose guests have it. */
  readonly machines: readonly MachineMark[];
}

/** All that a file says of its label, read once. */
export function readMarks(host: Host, { file, id }: MarkedFile): FileMarks {
  const names = file.listXattrs();
  return {
    names,
    label: labelOf(file),
    remembered: getRemembered(file, names),
    machines: readMachineMarks(host, { file, id }, names),
  };
}

/** The label of a file that is open; undefined when it has none. */
function labelOf(file: FileAttributes): string | undefined {
  return file.getXattr(LABEL);
}

/** The label of a file, undefined when it has none. */
export function getFileLabel(host: Host, file: FileId): string | undefined {
  return host.withAttributes(file, labelOf);
}

/**
 * Remembers the original on the file, then labels it. Throws "denied" where files have no labels, "label-taken" when another
 * machine has taken the file meanwhile.
 */
export function setFileLabel(actor: LabelActor, step: Extract<Step, { do: "set-label" }>): void {
  const { host, registry } = actor;
  const { claim, file: id, from, to } = step;
  const users = registry.listHolders("file", claim.key).length;
  host.withAttributes(id, (file) => {
    // The mark first, then the look at the others': of two machines that take it at once, one sees the other's at the least.
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

/** Holds a file in another way, and gives it the label for that. Throws "label-taken" when somebody is in the way. */
export function changeFileLabel(actor: LabelActor, step: Extract<Step, { do: "change-label" }>): void {
  const { file, to: claim, udevRule } = step;
  const { label, original } = claim;
  actor.registry.reserve(claim, actor.owner);
  if (label === undefined) return;
  // First: udevd must not label the node once more as it was.
  if (udevRule !== undefined) writeUdevRule(actor.host, { do: "write-udev-rule", ...udevRule, file, label });
  const from = original === undefined ? {} : { from: original };
  setFileLabel(actor, { do: "set-label", file, claim, to: label, ...from });
}

/** Labels a file and remembers nothing. Throws "denied" where files have no labels: the kernel's answer tells. */
export function putFileLabel(host: Host, file: FileId, label: string): void {
  host.withAttributes(file, (attributes) => putLabel(attributes, file.path, label));
}

/** The same to a file that is open, and was found by that path. */
export function putLabel(file: FileAttributes, path: string, label: string): void {
  if (file.setXattr(LABEL, `${label}\0`)) return;
  const is = labelOf(file);
  const shown = is === undefined ? "none" : `${is}, that of its mount`;
  throw new SvirtError(
    `Cannot label ${path}: its file system keeps no labels (it has ${shown}), so SELinux could not keep other ` +
      "guests from it",
    {
      kind: "denied",
      remedy:
        "Move it to a file system with labels. Or mount this one for that guest alone, with " +
        `context="${label}" and a static label in the guest's XML. Or, if any guest may reach what is on it, mount it with ` +
        `context="${withoutLevel(label)}" and write <seclabel model='selinux' relabel='no'/> into the source.`,
    },
  );
}

/** The label that no guest's categories are needed for: of the same type, at the lowest level. */
function withoutLevel(label: string): string {
  return [...label.split(":").slice(0, 3), "s0"].join(":");
}

/**
 * Puts the original label back, if nobody else uses the file and it still carries the label that we gave it. A file
 * that is gone, or that another one has replaced, is left alone; so is one that another machine has by now, or may have
 * since this one went down.
 */
export function restoreFileLabel(actor: LabelActor, step: Extract<Step, { do: "restore-label" }>): void {
  const { host, registry, owner } = actor;
  host.withInspected(step.file.path, (file) => {
    if (!isLabelled(host, file, { file: step.file, label: step.from })) return;
    const { id } = file.facts;
    const marks = readMachineMarks(host, { file, id });
    if (mayBeTaken(actor, id, marks)) return;
    const others = othersOf(host, marks);
    const isOurs = labelOf(file) === step.from;
    // A start that was killed after its claim and before its label is no user of ours.
    const here = registry
      .listHolders("file", step.claim.key)
      .filter((holder) => holder.owner !== owner && (!isOurs || holder.label === step.from));
    if (here.length > 0) {
      const remembered = getRemembered(file);
      // A file that is not labelled for them remembers nothing.
      const users = here.length + others.length;
      if (remembered !== undefined) setRemembered(host, file, { ...remembered, users, inode: id.inode });
      return;
    }
    if (others.length === 0) putBack(actor, file, step);
    else actor.onKept?.(`${id.path} keeps its label: another machine holds it, ${nameAll(others)}`);
    // Last: as long as it is there, no other machine takes the file.
    removeMachineMarks(file, ownOf(marks, others));
  });
}

/**
 * Whether another machine may have taken a file since this one went down: what it did meanwhile this one cannot know. Tells
 * of it.
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
    `${path} keeps its label: ${holder ?? `other machines may have taken it meanwhile, by ${through}; if none has, run svirt label ${command}`}`,
  );
  return true;
}

function ownOf(marks: readonly MachineMark[], others: readonly MachineMark[]): readonly MachineMark[] {
  return marks.filter((mark) => !others.includes(mark));
}

function nameAll(marks: readonly MachineMark[]): string {
  return marks.map(({ id, name }) => `${name} (${id})`).join(", ");
}

/** Another label with a memory from another boot is a later guest's, which a power failure ended as well: its record knows. */
function putBack(
  { bootId, host }: LabelActor,
  file: FileAttributes,
  { from, to }: Extract<Step, { do: "restore-label" }>,
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
 * The file that was given that label, as it is now. After a reboot its device may bear another number: then the inode
 * says that it is the one, if svirt labelled it in an earlier boot or, where a file cannot remember that, if our label
 * is on it.
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
