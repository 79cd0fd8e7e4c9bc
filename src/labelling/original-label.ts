import { SvirtError } from "../errors.ts";
import type { FileFacts } from "../host/host.ts";
import { fileKey } from "../plan/facts/file.ts";
import { defaultLabelOf, readFileContexts } from "../report/default-labels.ts";
import { privateRange } from "../report/policy-facts.ts";
import { type FileMarks, getFileLabel, readMarks } from "../run/labels/file-label.ts";
import { othersOf } from "../run/labels/machine-marks.ts";
import { type Node, registryOf } from "../state/instance.ts";
import { type FileUse, heldUnmarked, refuseElsewhere } from "./held-elsewhere.ts";

/** Two computations of one boot time may differ by that much: the reference's own jitters. */
const BOOT_TIME_JITTER_S = 2;

/** A file, and how somebody named it. */
export interface NamedFile {
  readonly named: string;
  readonly facts: FileFacts;
}

const ALONE: FileUse = { sharing: "exclusive", to: undefined, meant: undefined };

/**
 * The label from before any guest: what another user of the file has recorded; what the file itself remembers, if
 * whoever wrote that is gone; or else what it carries now. The label of a guest that is gone is nobody's original: then,
 * and for a file without a label, policy says what it should have, unless it is the label that is `meant`. Throws
 * "label-taken" when another tool or another machine holds the file.
 */
export function originalOf(node: Node, file: NamedFile, use: FileUse = ALONE): string | undefined {
  const { host } = node;
  const { id } = file.facts;
  if (host.inspectFile(id.path) === undefined) return undefined;
  const [holder] = registryOf(node).listHolders("file", fileKey(id));
  if (holder !== undefined) return holder.original;
  const marks = host.withAttributes(id, (opened) => readMarks(host, { id, file: opened }));
  refuseOtherTool(node, file.named, marks);
  refuseElsewhere(node, { named: file.named, id, marks }, use);
  const known = marks.remembered?.original ?? marks.label;
  if (known !== undefined && (known === use.meant || privateRange(host, known) === undefined)) return known;
  const contexts = readFileContexts(host);
  return (contexts === undefined ? undefined : defaultLabelOf(contexts, file.facts)) ?? known;
}

/** A label of one guest's own on a file that no guest here has. */
interface LeftLabel {
  /** By what other machines may see the file, whose guest it may be; undefined: the guest is gone. */
  readonly through: string | undefined;
}

/** The label of a guest on a file that nobody uses; undefined too for one with a static label, and where a machine has marked it. */
export function findLeftLabel(node: Node, { id }: FileFacts): LeftLabel | undefined {
  const { host } = node;
  const registry = registryOf(node);
  const range = privateRange(host, getFileLabel(host, id));
  if (range === undefined || registry.isTaken("static", range)) return undefined;
  if (registry.isTaken("file", fileKey(id)) || isLevelOfOthers(node, range)) return undefined;
  const marks = host.withAttributes(id, (file) => readMarks(host, { id, file }));
  if (othersOf(host, marks.machines).length > 0) return undefined;
  return { through: heldUnmarked(node, { id, marks }) };
}

/** Whether a file that nobody uses carries the label of a guest that is gone, and not of one with a static label. */
export function isStale(node: Node, facts: FileFacts): boolean {
  const left = findLeftLabel(node, facts);
  return left !== undefined && left.through === undefined;
}

/** Throws "label-taken" for a file that libvirt holds, or that carries the level of a process that is not svirt's. */
export function refuseOtherTool(node: Node, named: string, { label, remembered }: FileMarks): void {
  if (remembered?.bootId === undefined && (remembered?.users ?? 0) > 0 && isOfThisBoot(node, remembered)) {
    throw new SvirtError(`Cannot label ${named}: libvirt holds it for ${remembered?.users} of its guests`, {
      kind: "label-taken",
      remedy: "Stop the guest that uses it in libvirt.",
    });
  }
  const range = privateRange(node.host, label);
  if (range === undefined || !isLevelOfOthers(node, range)) return;
  throw new SvirtError(`Cannot label ${named}: it has the level ${range}, in which a process runs`, {
    kind: "label-taken",
    remedy: `Stop that process (ps -eZ | grep ${range}): svirt did not start it.`,
  });
}

/** A guest of svirt holds all that it uses: a file with its level that it does not hold is a copy. */
function isLevelOfOthers(node: Node, range: string): boolean {
  if (registryOf(node).isTaken("level", range)) return false;
  return node.host.listContexts().some((context) => context.endsWith(`:${range}`));
}

function isOfThisBoot(node: Node, remembered: { readonly bootTime: number } | undefined): boolean {
  return Math.abs((remembered?.bootTime ?? 0) - node.host.getBootTime()) <= BOOT_TIME_JITTER_S;
}
