import { SvirtError } from "../errors.ts";
import type { FileFacts } from "../host.ts";
import { defaultLabelOf } from "../report/default-labels.ts";
import { privateRange } from "../report/policy-facts.ts";
import { getFileLabel, putFileLabel } from "../run/file-label.ts";
import { getRemembered, removeRemembered } from "../run/remembered.ts";
import { canonicalContext } from "../selinux/context.ts";
import type { FileContexts } from "../selinux/file-contexts.ts";
import { withRegistryLock } from "./clear-away.ts";
import { inspectFree } from "./free-file.ts";
import type { Node } from "./node.ts";

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

function refuseOrdinaryUser(node: Node): void {
  if (node.host.getUid() === 0) return;
  throw new SvirtError("Cannot label a file: only root can see to it that no guest takes it meanwhile", {
    kind: "denied",
    remedy: "Run svirt as root.",
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
