import { SvirtError } from "../errors.ts";
import type { TreeEntry } from "../host/file-attributes.ts";
import { decideFileLabel } from "../label/file-label.ts";
import type { LabelDecision } from "../label/label-decision.ts";
import type { FileId, SharedTree } from "../plan/facts/file.ts";
import { fileKey } from "../plan/facts/file-key.ts";
import { privateRange } from "../report/policy-facts.ts";
import type { ResolvedFolder } from "../resolve/files/shared-folders.ts";
import { readMarks } from "../run/labels/file-label.ts";
import { surveyTree } from "../run/steps/tree/survey-tree.ts";
import { type Instance, registryOf } from "../state/instance.ts";
import { refuseOtherLabel } from "./file-labels.ts";
import { decideMark } from "./format-marks.ts";
import { isHeldElsewhere } from "./held-elsewhere.ts";
import { originalOf } from "./original-label.ts";
import { ownershipOf } from "./original-owner.ts";
import { refuseInTree } from "./refuse-in-tree.ts";
import { refuseUnusable } from "./refuse-unusable.ts";

/** A guest's shared folders, and its other files. */
interface TreeUse {
  readonly uuid: string;
  readonly uid: number;
  readonly folders: readonly ResolvedFolder[];
  readonly files: readonly FileId[];
}

/**
 * Decides the label of each shared folder, with all files below it. The caller holds the registry lock.
 * Throws "in-use" if a file below is in use, "denied" and "unsupported" for an unsuitable folder.
 */
export function decideTrees(instance: Instance, label: LabelDecision, use: TreeUse): SharedTree[] {
  return use.folders.map((folder) => {
    const { access, facts, role } = folder;
    const { sharing, to } = decideFileLabel(label, role, undefined);
    refuseOtherLabel(instance, folder, { uuid: use.uuid, to });
    refuseUnusable(instance, label, { file: folder, to });
    refuseUsedBelow(instance, folder, use);
    const meant = label.type === "static" ? to : undefined;
    const ownership = ownershipOf(instance, folder, use.uid);
    const original = originalOf(instance, folder, { sharing, to, meant });
    const mark = access === "read-only" ? undefined : decideMark(instance, facts.id, "raw");
    return { id: facts.id, access, to, sharing, original, mark, ownership };
  });
}

function refuseUsedBelow(instance: Instance, { facts, named }: ResolvedFolder, use: TreeUse): void {
  refuseInTree(instance, use.uuid, { facts, named });
  const registry = registryOf(instance);
  const own = new Set([...use.files, ...use.folders.map((folder) => folder.facts.id)].map(fileKey));
  const contexts = instance.host.listContexts();
  const isRunning = (range: string): boolean => contexts.some((context) => context.endsWith(`:${range}`));
  surveyTree(instance.host, facts.id, (entry) => {
    if (entry.id.path === facts.id.path) return;
    const key = fileKey(entry.id);
    if (own.has(key) || registry.isTaken("file", key)) throw taken(entry, named, "a guest uses it");
    const range = privateRange(instance.host, entry.getXattr("security.selinux"));
    if (range === undefined) return;
    if (isRunning(range)) throw taken(entry, named, `a process runs at its level, ${range}`);
    const marks = readMarks(instance.host, { id: entry.id, file: entry });
    if (isHeldElsewhere(instance, { id: entry.id, marks }))
      throw taken(entry, named, "a guest of another machine may use it");
  });
}

function taken({ id }: TreeEntry, named: string, why: string): SvirtError {
  return new SvirtError(`Cannot share ${named} with the guest: it contains ${id.path}, and ${why}`, {
    kind: "in-use",
    remedy: "Keep guests' disks out of shared folders.",
  });
}
