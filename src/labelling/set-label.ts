import { SvirtError } from "../errors.ts";
import type { FileFacts } from "../host/files.ts";
import { defaultLabelOf } from "../report/default-labels.ts";
import { privateRange } from "../report/policy-facts.ts";
import { refuseWritten } from "../resolve/places/writable-places.ts";
import { type FileMarks, putLabel } from "../run/labels/file-label.ts";
import { removeMachineMarks } from "../run/labels/machine-marks.ts";
import { removeRemembered } from "../run/labels/remembered-label.ts";
import { canonicalContext } from "../selinux/context.ts";
import type { FileContexts } from "../selinux/file-contexts/look-up.ts";
import type { Instance } from "../state/instance.ts";
import type { EachPath } from "./for-each-path.ts";
import { forEachUnused } from "./for-each-unused.ts";
import { isRoot, onlyRoot } from "./require-root.ts";

/**
 * A change of a file's label, done or only planned; `to` is undefined if policy has no label for the file.
 */
export interface LabelChange {
  readonly path: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** Files to label, or only considered. */
interface Files {
  readonly paths: readonly string[];
  readonly isDryRun: boolean;
}

/**
 * Sets the label of files at an administrator's request; their remembered labels are forgotten. Throws
 * "usage" for an invalid context, "denied" for a context unknown to the policy. A file that fails does not
 * stop the others: "not-found", "in-use" for a guest's file, "denied" for an ordinary user or a file of the
 * host.
 */
export async function setLabels(
  instance: Instance,
  files: Files,
  context: string,
): Promise<EachPath<LabelChange>> {
  const to = canonicalContext(context);
  refuseUnknown(instance, to);
  return await changeLabels(instance, files, (still, { facts }) => {
    if (still.isForKey === true) refuseWritten(still.host, facts);
    return to;
  });
}

/**
 * Restores the remembered label of each file. A file without a remembered label, or only with an ended
 * guest's, gets the policy's default. A file that fails does not stop the others: "not-found", "in-use",
 * "denied", which an ordinary user gets for each; "failed" without a policy.
 */
export async function restoreLabels(
  instance: Instance,
  files: Files,
  contexts: FileContexts | undefined,
): Promise<EachPath<LabelChange>> {
  return await changeLabels(instance, files, (still, file) => giveBack(still, file, contexts));
}

function giveBack(
  instance: Instance,
  file: MarkedFile,
  contexts: FileContexts | undefined,
): string | undefined {
  const label = restoredLabel(instance, file, contexts);
  if (label === undefined && contexts === undefined) throw noPolicy(file.facts.id.path);
  return label;
}

/** A file, and its remembered label. */
interface MarkedFile extends Pick<FileMarks, "remembered"> {
  readonly facts: FileFacts;
}

/** Returns the file's label after a restore now; undefined if neither the file nor policy has a label. */
export function restoredLabel(
  instance: Instance,
  { facts, remembered }: MarkedFile,
  contexts: FileContexts | undefined,
): string | undefined {
  const original = remembered?.original;
  if (original !== undefined && privateRange(instance.host, original) === undefined) return original;
  return contexts === undefined ? undefined : defaultLabelOf(contexts, facts);
}

/** Changes the labels of unused files, as `decide` says. */
async function changeLabels(
  instance: Instance,
  { isDryRun, paths }: Files,
  decide: (instance: Instance, file: MarkedFile) => string | undefined,
): Promise<EachPath<LabelChange>> {
  if (!isRoot(instance)) return { done: [], errors: paths.map(onlyRoot) };
  return await forEachUnused(instance, paths, (still, file, { label, machines, names, remembered }) => {
    const { facts } = file;
    const change = { path: facts.id.path, from: label, to: decide(still, { facts, remembered }) };
    if (isDryRun || change.to === undefined) return change;
    if (change.to !== change.from) putLabel(file, change.path, change.to);
    removeRemembered(still.host, file, names);
    removeMachineMarks(file, machines);
    return change;
  });
}

function refuseUnknown(instance: Instance, context: string): void {
  if (instance.host.getSelinux().mode === "disabled" || instance.host.isValidContext(context)) return;
  throw new SvirtError(`Cannot label a file ${context}: the loaded policy does not define that context`, {
    kind: "denied",
    remedy: "Correct its user, role, type or range.",
  });
}

function noPolicy(path: string): SvirtError {
  return new SvirtError(`Cannot look up the default label of ${path}: the policy has no file_contexts`, {
    kind: "failed",
    remedy: "Install an SELinux policy, and set SELINUXTYPE in /etc/selinux/config.",
  });
}
