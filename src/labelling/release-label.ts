import { SvirtError } from "../errors.ts";
import type { OpenedFile } from "../host/files.ts";
import { belongsToHost } from "../label/protected-paths.ts";
import { fileKey } from "../plan/facts/file-key.ts";
import { folderOf } from "../plan/folder-of.ts";
import { privateRange } from "../report/policy-facts.ts";
import { type FileMarks, putLabel, readMarks } from "../run/labels/file-label.ts";
import { getFileLabel } from "../run/labels/get-file-label.ts";
import {
  keepsLabels,
  type MachineMark,
  othersOf,
  removeMachineMarks,
  UNKNOWN_MACHINE,
} from "../run/labels/machine-marks.ts";
import { removeRemembered } from "../run/labels/remembered-label.ts";
import type { FileContexts } from "../selinux/file-contexts/look-up.ts";
import { type Instance, registryOf } from "../state/instance.ts";
import { type EachPath, forEachPath } from "./for-each-path.ts";
import { ofHost, withExisting, withHeld } from "./free-file.ts";
import { heldUnmarked, OF_MOUNT } from "./held-elsewhere.ts";
import { refuseOtherTool } from "./original-label.ts";
import { isRoot, onlyRoot } from "./require-root.ts";
import { type LabelChange, restoredLabel } from "./set-label.ts";

/** An administrator's statement that a machine, by its id or name, no longer holds any of these files. */
interface Release {
  readonly paths: readonly string[];
  readonly machine: string;
  readonly isDryRun: boolean;
}

/**
 * Removes the mark of another machine from files. An unused file then gets its remembered label or the
 * policy's default. A failed file does not stop the others: "not-found", also if the named machine does not
 * hold the file, "in-use", "denied".
 */
export async function releaseLabels(
  instance: Instance,
  { isDryRun, machine, paths }: Release,
  contexts: FileContexts | undefined,
): Promise<EachPath<LabelChange>> {
  if (!isRoot(instance)) return { done: [], errors: paths.map(onlyRoot) };
  return await withHeld(instance, paths, (held) =>
    forEachPath(paths, (path) =>
      withExisting(instance, path, (file) =>
        releaseFile(instance, { file, named: path, machine, isDryRun, contexts, held }),
      ),
    ),
  );
}

interface FileRelease extends Omit<Release, "paths"> {
  readonly file: OpenedFile;
  readonly contexts: FileContexts | undefined;
  /** Errors for files that a process of a guest here has open, by their keys. */
  readonly held: ReadonlyMap<string, SvirtError>;
  readonly named: string;
}

function releaseFile(instance: Instance, release: FileRelease): LabelChange {
  const { file, isDryRun, named } = release;
  const { id } = file.facts;
  if (belongsToHost(id.path)) throw ofHost(named);
  const marks = readMarks(instance.host, { id, file });
  const isUsedHere = registryOf(instance).isTaken("file", fileKey(id));
  const given = isUsedHere && release.machine === UNKNOWN_MACHINE ? [] : givenUp(instance, release, marks);
  const stays = isUsedHere || othersOf(instance.host, marks.machines).length > given.length;
  const change = { path: id.path, from: marks.label };
  if (stays) {
    if (!isDryRun) removeMachineMarks(file, given);
    return { ...change, to: marks.label };
  }
  const stillHeld = release.held.get(fileKey(id));
  if (stillHeld !== undefined) throw stillHeld;
  refuseOtherTool(instance, named, marks);
  if (!keepsLabels(file)) throw labelOfMount(named, marks.label);
  const to = labelFor(instance, release, marks);
  if (isDryRun) return { ...change, to };
  if (to !== marks.label) putLabel(file, id.path, to);
  removeRemembered(instance.host, file, marks.names);
  removeMachineMarks(file, marks.machines);
  return { ...change, to };
}

function labelOfMount(named: string, label: string | undefined): SvirtError {
  return new SvirtError(`Cannot release ${named}: its mount option context= sets the label ${label}`, {
    kind: "denied",
    remedy: OF_MOUNT,
  });
}

/**
 * Returns the label that the file gets. If policy has none, as for a mount below /mnt, it is the folder's, as
 * for a new file there.
 */
function labelFor(
  instance: Instance,
  { contexts, file: { facts }, named }: FileRelease,
  { label, remembered }: FileMarks,
): string {
  const { host } = instance;
  const folder = host.inspectFile(folderOf(facts.id.path))?.id;
  const found = [
    restoredLabel(instance, { facts, remembered }, contexts),
    label,
    folder === undefined ? undefined : getFileLabel(host, folder),
  ].find((each) => each !== undefined && privateRange(host, each) === undefined);
  if (found !== undefined) return found;
  throw new SvirtError(
    `Cannot release ${named}: the file remembers no label, and neither the policy nor its folder has one for it`,
    {
      kind: "failed",
      remedy: `Label its folder first: chcon ${folderOf(facts.id.path)}`,
    },
  );
}

/** Returns the marks to remove: none if no machine has marked the file. */
function givenUp(
  instance: Instance,
  { file, machine, named }: FileRelease,
  marks: FileMarks,
): readonly MachineMark[] {
  const others = othersOf(instance.host, marks.machines);
  if (machine === UNKNOWN_MACHINE) {
    if (others.length === 0 && heldUnmarked(instance, { id: file.facts.id, marks }) !== undefined) return [];
    throw notHeld(named, others, "no unknown machine holds it");
  }
  const meant = others.filter(({ id, name }) => id === machine.toLowerCase() || name === machine);
  if (meant.length === 1) return meant;
  throw notHeld(
    named,
    others,
    meant.length === 0
      ? `the machine ${machine} does not hold it`
      : `several machines that hold it have the name ${machine}`,
  );
}

function notHeld(named: string, others: readonly MachineMark[], why: string): SvirtError {
  const machines = others.map(({ id, name }) => `${name} (${id})`).join(", ");
  return new SvirtError(
    `Cannot release ${named}: ${why}; ${machines === "" ? "no other machine holds it" : `it is held by ${machines}`}`,
    {
      kind: "not-found",
      remedy:
        machines === "" ? `Restore its label: svirt label restore ${named}` : "Name the machine by its id.",
    },
  );
}
