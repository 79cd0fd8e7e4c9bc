import { SvirtError } from "../errors.ts";
import type { TreeEntry } from "../host/files.ts";
import { decideFileLabel } from "../label/file-label.ts";
import type { LabelDecision } from "../label/guest-label.ts";
import { type FileId, fileKey, type SharedTree } from "../plan/facts/file.ts";
import { privateRange } from "../report/policy-facts.ts";
import type { UsedFolder } from "../resolve/files/shared-folders.ts";
import { readMarks } from "../run/labels/file-label.ts";
import { surveyTree } from "../run/steps/survey-tree.ts";
import { type Node, registryOf } from "../state/instance.ts";
import { refuseOtherLabel } from "./file-labels.ts";
import { isHeldElsewhere } from "./held-elsewhere.ts";
import { originalOf } from "./original-label.ts";
import { ownershipOf } from "./original-owner.ts";
import { refuseInTree } from "./refuse-in-tree.ts";
import { refuseUnusable } from "./refuse-unusable.ts";

/** A guest's shared folders, and its other files. */
interface TreeUse {
  readonly uuid: string;
  readonly uid: number;
  readonly folders: readonly UsedFolder[];
  readonly files: readonly FileId[];
}

/**
 * Decides the label that each shared folder gets, with all files below it. The caller holds the registry lock. Throws
 * "label-taken" if a file below is in use, "denied" and "unsupported" for a folder that cannot be shared.
 */
export function decideTrees(node: Node, label: LabelDecision, use: TreeUse): SharedTree[] {
  return use.folders.map((folder) => {
    const { access, facts, role } = folder;
    const { sharing, to } = decideFileLabel(label, role, undefined);
    refuseOtherLabel(node, folder, { uuid: use.uuid, to });
    refuseUnusable(node, label, { file: folder, to });
    refuseUsedBelow(node, folder, use);
    const meant = label.type === "static" ? to : undefined;
    const ownership = ownershipOf(node, folder, use.uid);
    const original = originalOf(node, folder, { sharing, to, meant });
    return { id: facts.id, access, to, sharing, original, ownership };
  });
}

function refuseUsedBelow(node: Node, { facts, named }: UsedFolder, use: TreeUse): void {
  refuseInTree(node, use.uuid, { facts, named });
  const registry = registryOf(node);
  const own = new Set([...use.files, ...use.folders.map((folder) => folder.facts.id)].map(fileKey));
  const contexts = node.host.listContexts();
  const isRunning = (range: string): boolean => contexts.some((context) => context.endsWith(`:${range}`));
  surveyTree(node.host, facts.id, (entry) => {
    if (entry.id.path === facts.id.path) return;
    const key = fileKey(entry.id);
    if (own.has(key) || registry.isTaken("file", key)) throw taken(entry, named, "a guest has it");
    const range = privateRange(node.host, entry.getXattr("security.selinux"));
    if (range === undefined) return;
    if (isRunning(range)) throw taken(entry, named, `a process runs at its level, ${range}`);
    const marks = readMarks(node.host, { id: entry.id, file: entry });
    if (isHeldElsewhere(node, { id: entry.id, marks }))
      throw taken(entry, named, "a guest of another machine may have it");
  });
}

function taken({ id }: TreeEntry, named: string, why: string): SvirtError {
  return new SvirtError(`Cannot share ${named} with the guest: ${id.path} is in it, and ${why}`, {
    kind: "label-taken",
    remedy: "Keep guests' disks out of shared folders.",
  });
}
