import { SvirtError } from "../errors.ts";
import type { FileFacts } from "../host.ts";
import { belongsToHost } from "../label/impossible-targets.ts";
import { fileKey } from "../plan/start-plan.ts";
import { defaultLabelOf } from "../report/default-labels.ts";
import { privateRange } from "../report/policy-facts.ts";
import { getFileLabel, putFileLabel } from "../run/file-label.ts";
import { getRemembered, removeRemembered } from "../run/remembered.ts";
import { canonicalContext } from "../selinux/context.ts";
import type { FileContexts } from "../selinux/file-contexts.ts";
import { withRegistryLock } from "./clear-away.ts";
import { type Node, registryOf } from "./node.ts";
import { refuseOtherTool } from "./original-label.ts";
import { readRecord } from "./record.ts";

/** A change of a file's label, done or only planned; `to` is undefined where policy has no label for the file. */
export interface LabelChange {
  readonly path: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** An administrator's own act on one file. */
export interface LabelAct {
  readonly path: string;
  readonly isDryRun: boolean;
}

/**
 * Gives a file a label, by an administrator's wish: what it remembered is forgotten. Throws "usage" for what is not a
 * context, "not-found", "label-taken" for a file that a guest uses, "denied" for one of the host's own or a label that
 * the policy does not know.
 */
export async function setLabel(node: Node, act: LabelAct, context: string): Promise<LabelChange> {
  const to = canonicalContext(context);
  refuseUnknown(node, to);
  return await changeLabel(node, act, () => to);
}

/**
 * Gives a file back the label that it remembers or, if it remembers none or only that of a guest that is gone, the one
 * that it has by policy. Throws "not-found", "label-taken", "denied"; "failed" where there is no policy.
 */
export async function restoreLabel(
  node: Node,
  act: LabelAct,
  contexts: FileContexts | undefined,
): Promise<LabelChange> {
  return await changeLabel(node, act, (facts) => {
    const label = restoredLabel(node, facts, contexts);
    if (label === undefined && contexts === undefined) throw noPolicy(facts.id.path);
    return label;
  });
}

/** The label that a file would be given back if it were restored now; undefined where nothing tells one. */
export function restoredLabel(
  node: Node,
  facts: FileFacts,
  contexts: FileContexts | undefined,
): string | undefined {
  const remembered = getRemembered(node.host, facts.id)?.original;
  if (remembered !== undefined && privateRange(node.host, remembered) === undefined) return remembered;
  return contexts === undefined ? undefined : defaultLabelOf(contexts, facts);
}

/** What is at a path. Throws "not-found". */
export function inspectExisting(node: Node, path: string): FileFacts {
  const facts = node.host.inspectFile(path);
  if (facts !== undefined) return facts;
  throw new SvirtError(`Cannot access file '${path}': No such file or directory`, {
    kind: "not-found",
    remedy: "Correct the path.",
  });
}

/** Under the registry's lock, so that no start takes the file meanwhile. */
async function changeLabel(
  node: Node,
  { isDryRun, path }: LabelAct,
  decide: (facts: FileFacts) => string | undefined,
): Promise<LabelChange> {
  refuseOrdinaryUser(node);
  return await withRegistryLock(node, async () => {
    const facts = inspectFree(node, path);
    const change = { path: facts.id.path, from: getFileLabel(node.host, facts.id), to: decide(facts) };
    if (isDryRun || change.to === undefined) return change;
    if (change.to !== change.from) putFileLabel(node.host, facts.id, change.to);
    removeRemembered(node.host, facts.id);
    return change;
  });
}

/** What is at a path, unless it belongs to the host or somebody uses it. */
function inspectFree(node: Node, path: string): FileFacts {
  const facts = inspectExisting(node, path);
  if (belongsToHost(facts.id.path)) throw ofHost(path);
  const [holder] = registryOf(node).listHolders("file", fileKey(facts.id));
  if (holder !== undefined) throw inUse(path, readRecord(node, holder.owner)?.name ?? holder.owner);
  refuseOtherTool(node, { named: path, facts });
  return facts;
}

function refuseOrdinaryUser(node: Node): void {
  if (node.host.getUid() === 0) return;
  throw new SvirtError("Cannot label a file: only root can see to it that no guest takes it meanwhile", {
    kind: "denied",
    remedy: "Run svirt as root.",
  });
}

function inUse(path: string, guest: string): SvirtError {
  return new SvirtError(`Cannot label ${path}: the guest ${guest} uses it`, {
    kind: "label-taken",
    remedy: `Stop that guest: svirt shutdown ${guest}`,
  });
}

function ofHost(path: string): SvirtError {
  return new SvirtError(`Cannot label ${path}: it belongs to the host`, {
    kind: "denied",
    remedy: "Label the host's own files with restorecon or chcon.",
  });
}

function refuseUnknown(node: Node, context: string): void {
  if (node.host.getSelinux().mode === "disabled" || node.host.isValidContext(context)) return;
  throw new SvirtError(`Cannot label a file ${context}: the loaded policy does not know that context`, {
    kind: "denied",
    remedy: "Correct its user, role, type or range.",
  });
}

function noPolicy(path: string): SvirtError {
  return new SvirtError(`Cannot tell the default label of ${path}: there is no file_contexts`, {
    kind: "failed",
    remedy: "Install an SELinux policy, and set SELINUXTYPE in /etc/selinux/config.",
  });
}
