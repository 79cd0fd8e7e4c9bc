import { SvirtError } from "../../../errors.ts";
import type { TreeEntry } from "../../../host/file-attributes.ts";
import type { Host } from "../../../host/host.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { TreeStep } from "../../../plan/steps/tree.ts";
import { parseContextOrUndefined } from "../../../selinux/context.ts";
import { pairOf } from "../../../selinux/level.ts";
import {
  findLabelled,
  type LabelActor,
  mayBeTaken,
  restoreFileLabel,
  setFileLabel,
} from "../../labels/file-label.ts";
import { othersOf, readMachineMarks } from "../../labels/machine-marks.ts";
import { getRemembered } from "../../labels/remembered-label.ts";
import type { Runs } from "../step-effects.ts";
import { surveyTree } from "./survey-tree.ts";

const LABEL = "security.selinux";
/** Same attributes as on any file that svirt labels, but without libvirt's count: libvirt labels no trees. */
const ORIGINAL = "trusted.libvirt.security.selinux";
const BOOT_ID = "trusted.svirt.boot_id";

type Original = string | undefined;

/** Effects of the steps on shared folders. */
export const runTree: Runs<TreeStep> = { "share-tree": shareTree, "unshare-tree": unshareTree };

/**
 * Labels a folder and all its content for a guest, and lets the guest's user open it. The folder is first and
 * remembers its label. An entry remembers its own label only if its folder has another. Throws "denied",
 * "unsupported".
 */
export function shareTree(actor: LabelActor, step: TreeStep): void {
  const { host } = actor;
  const { access, claim, folder: file, from, to, uid } = step;
  surveyTree(host, file);
  if (to !== undefined) setFileLabel(actor, { do: "set-label", file, claim, to, ...labelFrom(from) });
  const isShared = listOthers(actor, step).length > 0 || listMachines(host, file).length > 0;
  const linked = new Set<string>();
  host.visitTree<Original>(file, from, (entry, above) => {
    // The file has already got the guest's label under its other name, and that is not its original label.
    if (entry.type !== "folder" && entry.links > 1) {
      if (linked.has(entry.id.inode)) return above;
      linked.add(entry.id.inode);
    }
    const isTop = entry.id.path === file.path;
    const own = to === undefined || isTop ? from : labelEntry(host, entry, { above, to, isShared });
    if (entry.type === "file" || entry.type === "folder") entry.grantAccess({ uid, access });
    return own;
  });
}

/**
 * Ends the sharing: restores owners and access, and the labels after the folder's last user. Files created by
 * the guest get the folder's owner, and the label of the folder around them. The folder's own label is
 * restored after all entries, and the marks are removed last. So after an interrupted call the next call
 * finds the folder's original label, and restores the entries again.
 */
export function unshareTree(actor: LabelActor, step: TreeStep): void {
  const { host } = actor;
  const { claim, from, to, uid } = step;
  const file = findLabelled(host, step.folder, to);
  if (file === undefined) return;
  const marks = host.withAttributes(file, (folder) => readMachineMarks(host, { id: file, file: folder }));
  if (mayBeTaken(actor, file, marks)) return;
  const isLast = listOthers(actor, step).length === 0 && othersOf(host, marks).length === 0;
  const remembers = (): boolean => host.withAttributes(file, getRemembered) !== undefined;
  const owes = to !== undefined && isLast && (from === undefined || remembers());
  let top: TreeEntry | undefined;
  host.visitTree<Original>(file, from, (entry, above) => {
    top ??= entry;
    if (entry.uid === uid) entry.setOwner(top.uid, top.gid);
    entry.revokeAccess(uid);
    // The top folder itself follows, after all entries.
    if (!owes || entry === top) return above;
    return restoreEntry(entry, { above, to });
  });
  if (to === undefined) return;
  restoreFileLabel(actor, { do: "restore-label", file, claim, from: to, ...labelTo(from) });
  if (isLast) host.visitTree(file, undefined, forget);
}

function labelEntry(
  host: Host,
  entry: TreeEntry,
  { above, isShared, to }: { readonly above: Original; readonly isShared: boolean; readonly to: string },
): Original {
  // Other types are skipped: no process opens them through a shared folder.
  if (entry.type !== "file" && entry.type !== "folder" && entry.type !== "symlink") return above;
  const is = entry.getXattr(LABEL);
  const known = entry.getXattr(ORIGINAL);
  if (is === to && isShared) return known ?? above;
  // The label of an ended guest is never original.
  const own = known ?? (isPrivate(is) ? above : (is ?? above));
  if (own !== above && own !== undefined) remember(host, entry, own);
  if (is !== to && !entry.setXattr(LABEL, `${to}\0`)) throw unlabelled(entry);
  return own;
}

function remember(host: Host, entry: TreeEntry, original: string): void {
  if (entry.setXattr(BOOT_ID, host.getBootId()) && entry.setXattr(ORIGINAL, original)) return;
  throw new SvirtError(
    `Cannot label ${entry.id.path}: its label differs from that of its folder, and its file system cannot store the original label`,
    { kind: "denied", remedy: "Give the folder and its content one label first: chcon -R" },
  );
}

function restoreEntry(
  entry: TreeEntry,
  { above, to }: { readonly above: Original; readonly to: string },
): Original {
  const is = entry.getXattr(LABEL);
  const own = entry.getXattr(ORIGINAL) ?? (is === to ? above : is);
  if (is !== to || own === to) return own;
  if (own === undefined) entry.removeXattr(LABEL);
  else entry.setXattr(LABEL, `${own}\0`);
  return own;
}

function forget(entry: TreeEntry): undefined {
  const found = entry.listXattrs();
  for (const name of [ORIGINAL, BOOT_ID]) if (found.includes(name)) entry.removeXattr(name);
}

/** Reports whether a label belonged to a single guest: the policy's labels for files have no categories. */
function isPrivate(label: string | undefined): boolean {
  const range = label === undefined ? undefined : parseContextOrUndefined(label)?.range;
  return range !== undefined && pairOf(range) !== undefined;
}

/** Returns the other machines with guests on the folder. */
function listMachines(host: Host, id: FileId): readonly unknown[] {
  return host.withAttributes(id, (file) => othersOf(host, readMachineMarks(host, { file, id })));
}

function listOthers({ owner, registry }: LabelActor, { claim }: TreeStep): readonly unknown[] {
  return registry.listOthers(claim, owner);
}

function unlabelled({ id }: TreeEntry): SvirtError {
  return new SvirtError(
    `Cannot label ${id.path}: its file system stores no labels, so SELinux could not keep other guests from it`,
    { kind: "denied", remedy: "Share a folder on a file system that stores labels." },
  );
}

function labelFrom(from: string | undefined): { readonly from?: string } {
  return from === undefined ? {} : { from };
}

function labelTo(to: string | undefined): { readonly to?: string } {
  return to === undefined ? {} : { to };
}
