import type { FileFacts } from "../../host/files.ts";
import {
  claimedFormat,
  ISO_MARK,
  isIsoMark,
  type NeverGivenBytes,
  probeImageFormat,
} from "../../images/header.ts";
import { belongsToHost } from "../../label/protected-paths.ts";
import { seenByOthers } from "../../label/seen-by-others.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { folderOf } from "../../plan/folder-of.ts";
import { privateRange } from "../../report/policy-facts.ts";
import { type FileMarks, readMarks } from "../../run/labels/file-label.ts";
import { formatFolder, recordedFormat } from "../../run/labels/format-mark.ts";
import type { Instance } from "../../state/instance.ts";
import { type DeclaredFormats, declaredFormats } from "./declared-formats.ts";

// Rule: The content of a file that a guest could write never decides its format.

/** Length of a file's beginning that has the magic of every format. */
const MAGIC_BYTES = 512;

/** Formats of files during a command. Its folders and definitions are read once. */
export interface FileFormats {
  /**
   * Returns the format of a file or block device: as svirt recorded it when a guest got the file for writing
   * or when svirt made it, as a domain declares it, or, of a file that no guest could write, as its first
   * bytes say. Otherwise it is raw.
   */
  of(facts: FileFacts): string;
}

/** Facts read at most once for all files. */
interface Known {
  readonly declared: DeclaredFormats;
  readonly folders: Map<string, boolean>;
  records: readonly string[] | undefined;
}

/**
 * Returns the only source of formats not declared by any XML at hand. A guest writes any header into its raw
 * disk: the content never decides once a guest had the file. docs/decisions/storage.md
 */
export function fileFormats(instance: Instance): FileFormats {
  const known: Known = {
    declared: declaredFormats(instance),
    folders: new Map(),
    records: undefined,
  };
  return { of: (facts) => formatOf(instance, facts, known) };
}

function formatOf(instance: Instance, facts: FileFacts, known: Known): string {
  const { host } = instance;
  const { id } = facts;
  // Read before the evidence: a guest that gets the file from now on has not written these bytes.
  const first = host.readBytes(id, 0, MAGIC_BYTES);
  const claimed = claimedFormat(first);
  const isIso = claimed === "raw" && hasIsoMark(instance, facts);
  // Every format except raw has a magic.
  if (claimed === "raw" && !isIso) return "raw";
  const evidence = evidenceOf(instance, facts, known);
  if (evidence !== undefined) return evidence;
  return isIso ? "iso" : probeImageFormat(first as NeverGivenBytes);
}

function hasIsoMark({ host }: Instance, { id, sizeBytes, type }: FileFacts): boolean {
  const { length, offset } = ISO_MARK;
  return type === "file" && sizeBytes >= offset + length && isIsoMark(host.readBytes(id, offset, length));
}

/**
 * Returns the format given by a source other than the content; undefined for a file out of reach of guests.
 */
function evidenceOf(instance: Instance, facts: FileFacts, known: Known): string | undefined {
  const { host } = instance;
  const { id } = facts;
  // A device has no mark that lasts, and any guest may have had it.
  if (facts.type !== "file") return known.declared.of(id) ?? "raw";
  const { marks, recorded } = host.withAttributes(id, (file) => ({
    recorded: recordOf(instance, { id, file }, known),
    marks: readMarks(host, { id, file }),
  }));
  if (recorded !== undefined) return recorded;
  if (isInGivenFolder(instance, id, known)) return "raw";
  const declared = known.declared.of(id);
  if (declared !== undefined) return declared;
  return isUsed(instance, marks) || isWrittenElsewhere(instance, id) ? "raw" : undefined;
}

function recordOf(
  { host, paths }: Instance,
  file: Parameters<typeof recordedFormat>[1],
  known: Known,
): string | undefined {
  const folder = formatFolder(paths.state);
  known.records ??= host.listFolder(folder);
  return recordedFormat(host, file, { folder, names: known.records });
}

/** Whether a guest got a folder above a file for writing. */
function isInGivenFolder(instance: Instance, id: FileId, known: Known): boolean {
  const { host } = instance;
  for (let path = folderOf(id.path); path !== ""; path = folderOf(path)) {
    // A folder of the host is shared with no guest.
    if (belongsToHost(path)) continue;
    const before = known.folders.get(path);
    const folder = before === undefined ? host.inspectFile(path)?.id : undefined;
    const isGiven =
      before ??
      (folder !== undefined &&
        host.withAttributes(folder, (file) => recordOf(instance, { id: folder, file }, known)) !== undefined);
    known.folders.set(path, isGiven);
    if (isGiven) return true;
  }
  return false;
}

/** Whether a guest of another svirt or of libvirt has the file now, or had it when the host went down. */
function isUsed({ host }: Instance, { label, machines, remembered }: FileMarks): boolean {
  return machines.length > 0 || remembered !== undefined || privateRange(host, label) !== undefined;
}

/** Whether guests of other machines may write the file without a mark that is seen here. */
function isWrittenElsewhere({ host }: Instance, id: FileId): boolean {
  const { fileSystems } = host.getStorage(id);
  return seenByOthers({ fileSystems, disks: [], isNode: false }).content !== undefined;
}
