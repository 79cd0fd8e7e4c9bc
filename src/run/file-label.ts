import { SvirtError } from "../errors.ts";
import type { FileAttributes, Host, OpenedFile } from "../host.ts";
import type { FileId } from "../plan/guest-order.ts";
import type { Step } from "../plan/step.ts";
import type { ClaimRegistry } from "../registry/claims.ts";
import { getRemembered, isStill, type Remembered, removeRemembered, setRemembered } from "./remembered.ts";
import { writeUdevRule } from "./udev-rule.ts";

const LABEL = "security.selinux";

/** What labelling needs besides the step: whose label it is, and who else uses the file. */
export interface LabelActor {
  readonly host: Host;
  readonly registry: ClaimRegistry;
  readonly owner: string;
}

/** What a file carries, and what it says of that. */
export interface FileMarks {
  /** All its attributes. */
  readonly names: readonly string[];
  readonly label: string | undefined;
  readonly remembered: Remembered | undefined;
}

/** All that a file says of its label, read once. */
export function readMarks(file: FileAttributes): FileMarks {
  const names = file.listXattrs();
  return { names, label: labelOf(file), remembered: getRemembered(file, names) };
}

/** The label of a file that is open; undefined when it has none. */
function labelOf(file: FileAttributes): string | undefined {
  return file.getXattr(LABEL);
}

/** The label of a file, undefined when it has none. */
export function getFileLabel(host: Host, file: FileId): string | undefined {
  return host.withAttributes(file, labelOf);
}

/** Remembers the original on the file, then labels it. Throws "denied" where files have no labels. */
export function setFileLabel(actor: LabelActor, step: Extract<Step, { do: "set-label" }>): void {
  const { host, registry } = actor;
  const users = registry.listHolders("file", step.claim.key).length;
  host.withAttributes(step.file, (file) => {
    if (step.from !== undefined) setRemembered(host, file, { original: step.from, users });
    if (labelOf(file) !== step.to) putLabel(file, step.file.path, step.to);
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
 * that is gone, or that another one has replaced, is left alone.
 */
export function restoreFileLabel(actor: LabelActor, step: Extract<Step, { do: "restore-label" }>): void {
  const { host, registry, owner } = actor;
  host.withInspected(step.file.path, (file) => {
    if (!isLabelled(host, file, { file: step.file, label: step.from })) return;
    const others = registry.listHolders("file", step.claim.key).filter((holder) => holder.owner !== owner);
    if (others.length === 0) return putBack(host, file, step);
    const remembered = getRemembered(file);
    // A file that is not labelled for them remembers nothing.
    if (remembered !== undefined) setRemembered(host, file, { ...remembered, users: others.length });
  });
}

function putBack(
  host: Host,
  file: FileAttributes,
  { from, to }: Extract<Step, { do: "restore-label" }>,
): void {
  if (labelOf(file) === from) {
    if (to === undefined) file.removeXattr(LABEL);
    else file.setXattr(LABEL, `${to}\0`);
  }
  removeRemembered(host, file);
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
