import { SvirtError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { FileId } from "../plan/guest-order.ts";
import type { Step } from "../plan/step.ts";
import type { ClaimRegistry } from "../registry/claims.ts";
import { getRemembered, isOfEarlierBoot, removeRemembered, setRemembered } from "./remembered.ts";
import { writeUdevRule } from "./udev-rule.ts";

const LABEL = "security.selinux";

/** What labelling needs besides the step: whose label it is, and who else uses the file. */
export interface LabelActor {
  readonly host: Host;
  readonly registry: ClaimRegistry;
  readonly owner: string;
}

/** The label of a file, undefined when it has none. */
export function getFileLabel(host: Host, file: FileId): string | undefined {
  return host.getXattr(file, LABEL);
}

/** Remembers the original on the file, then labels it. Throws "denied" where files have no labels. */
export function setFileLabel(actor: LabelActor, step: Extract<Step, { do: "set-label" }>): void {
  const { host, registry } = actor;
  const users = registry.listHolders("file", step.claim.key).length;
  if (step.from !== undefined) setRemembered(host, step.file, { original: step.from, users });
  if (getFileLabel(host, step.file) === step.to) return;
  putFileLabel(host, step.file, step.to);
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
  if (host.setXattr(file, LABEL, `${label}\0`)) return;
  const is = getFileLabel(host, file);
  const shown = is === undefined ? "none" : `${is}, that of its mount`;
  throw new SvirtError(
    `Cannot label ${file.path}: its file system keeps no labels (it has ${shown}), so SELinux could not keep other ` +
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
  const file = findLabelled(host, step.file, step.from);
  if (file === undefined) return;
  const others = registry.listHolders("file", step.claim.key).filter((holder) => holder.owner !== owner);
  if (others.length > 0) {
    const remembered = getRemembered(host, file);
    // A file that is not labelled for them remembers nothing.
    if (remembered !== undefined) setRemembered(host, file, { ...remembered, users: others.length });
    return;
  }
  if (getFileLabel(host, file) === step.from) {
    if (step.to === undefined) host.removeXattr(file, LABEL);
    else host.setXattr(file, LABEL, `${step.to}\0`);
  }
  removeRemembered(host, file);
}

/**
 * The file that was given that label, as it is now. After a reboot its device may bear another number: then the inode says that it is
 * the one, if svirt labelled it in an earlier boot or, where a file cannot remember that, if our label is on it.
 */
export function findLabelled(host: Host, file: FileId, label: string | undefined): FileId | undefined {
  const now = host.inspectFile(file.path)?.id;
  if (now === undefined || now.inode !== file.inode || now.path !== file.path) return undefined;
  if (now.device === file.device && now.node === file.node) return now;
  return (isOfEarlierBoot(host, now) ?? getFileLabel(host, now) === label) ? now : undefined;
}
