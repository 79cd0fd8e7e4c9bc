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
import { type EachPath, forEachPath } from "./for-each-path.ts";
import { withHeld, withUnusedFile } from "./free-file.ts";
import { isRoot, onlyRoot } from "./require-root.ts";

/**
 * A change of a file's label, done or only planned; `to` is undefined if policy has no label for the file.
 */
export interface LabelChange {
  readonly path: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** An administrator's act on a file. */
interface LabelAct {
  readonly path: string;
  readonly isDryRun: boolean;
}

/**
 * Sets a file's label at an administrator's request; the remembered label is forgotten. Throws "usage" for an
 * invalid context, "not-found", "in-use" for a guest's file. Throws "denied" for an ordinary user, a file of
 * the host, or a label unknown to the policy.
 */
export async function setLabel(instance: Instance, act: LabelAct, context: string): Promise<LabelChange> {
  const to = canonicalContext(context);
  refuseUnknown(instance, to);
  if (!isRoot(instance)) throw onlyRoot(act.path);
  return await withHeld(instance, [act.path], (held) =>
    changeLabel(instance, { ...act, held }, ({ facts }) => {
      if (instance.isForKey === true) refuseWritten(instance.host, facts);
      return to;
    }),
  );
}

/**
 * Restores the remembered label of each file. A file without a remembered label, or only with an ended
 * guest's, gets the policy's default. All files are restored under a single lock, because a lock for each
 * file would take a fifth of the time. A failed file does not stop the others: "not-found", "in-use",
 * "denied", which an ordinary user gets for each; "failed" without a policy.
 */
export async function restoreLabels(
  instance: Instance,
  { isDryRun, paths }: { readonly paths: readonly string[]; readonly isDryRun: boolean },
  contexts: FileContexts | undefined,
): Promise<EachPath<LabelChange>> {
  if (!isRoot(instance)) return { done: [], errors: paths.map(onlyRoot) };
  return await withHeld(instance, paths, (held) =>
    forEachPath(paths, (path) =>
      changeLabel(instance, { path, isDryRun, held }, (file) => giveBack(instance, file, contexts)),
    ),
  );
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

/**
 * Changes a file's label. The caller holds the registry lock, so no start claims the file in the meantime.
 */
function changeLabel(
  instance: Instance,
  { held, isDryRun, path }: LabelAct & { readonly held: ReadonlyMap<string, SvirtError> },
  decide: (file: MarkedFile) => string | undefined,
): LabelChange {
  return withUnusedFile(instance, { path, held }, (file, { label, machines, names, remembered }) => {
    const { facts } = file;
    const change = { path: facts.id.path, from: label, to: decide({ facts, remembered }) };
    if (isDryRun || change.to === undefined) return change;
    if (change.to !== change.from) putLabel(file, change.path, change.to);
    removeRemembered(instance.host, file, names);
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
