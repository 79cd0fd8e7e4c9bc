import type { OpenedFile } from "../host/files.ts";
import type { Machine } from "../label/machine.ts";
import { seenByOthers } from "../label/seen-by-others.ts";
import { fileKey } from "../plan/facts/file-key.ts";
import { defaultLabelOf } from "../report/default-labels.ts";
import { readMarks } from "../run/labels/file-label.ts";
import { othersOf } from "../run/labels/machine-marks.ts";
import type { FileContexts } from "../selinux/file-contexts/look-up.ts";
import { type Instance, registryOf } from "../state/instance.ts";
import { readRecord } from "../state/record.ts";
import { withExisting } from "./free-file.ts";
import { isStale } from "./original-label.ts";
import { restoredLabel } from "./set-label.ts";

/** A guest with a hold on a file. */
interface FileUser {
  readonly name: string;
  readonly uuid: string;
  readonly sharing: "exclusive" | "shared";
}

/** Facts about a file's label. */
export interface LabelFacts {
  /** The path with symlinks resolved. */
  readonly path: string;
  readonly label: string | undefined;
  /** The policy's default; undefined if policy has none for such a file. */
  readonly defaultLabel: string | undefined;
  readonly usedBy: readonly FileUser[];
  /** The remembered label of the file, and the tool behind it. */
  readonly remembered: { readonly label: string; readonly by: "svirt" | "libvirt" } | undefined;
  /** The other machines with a hold on the file, each with its id. */
  readonly heldBy?: readonly Machine[];
  /**
   * The storage by which other machines may see its content; absent: only this machine can, as far as the
   * kernel knows.
   */
  readonly seenBy?: string;
  /** The label that the file gets when its last user ends, or by svirt label restore. */
  readonly givenBack: string | undefined;
  /** The file has the label of an ended guest. */
  readonly isStale: boolean;
}

/** Returns the facts about a file's label, and changes nothing. Throws "not-found". */
export function showLabel(instance: Instance, path: string, contexts: FileContexts | undefined): LabelFacts {
  return withExisting(instance, path, (file) => tellLabel(instance, file, contexts));
}

function tellLabel(instance: Instance, file: OpenedFile, contexts: FileContexts | undefined): LabelFacts {
  const { facts } = file;
  const holders = registryOf(instance).listHolders("file", fileKey(facts.id));
  const { label, machines, remembered } = readMarks(instance.host, { id: facts.id, file });
  const others = othersOf(instance.host, machines).map(({ id, name }) => ({ id, name }));
  const seenBy = seenByOthers(instance.host.getStorage(facts.id)).content;
  return {
    path: facts.id.path,
    label,
    defaultLabel: contexts === undefined ? undefined : defaultLabelOf(contexts, facts),
    usedBy: holders.map(({ owner, sharing }) => ({ name: nameOf(instance, owner), uuid: owner, sharing })),
    remembered:
      remembered === undefined
        ? undefined
        : {
            label: remembered.original,
            by: remembered.bootId === undefined ? "libvirt" : "svirt",
          },
    givenBack:
      holders[0] === undefined
        ? restoredLabel(instance, { facts, remembered }, contexts)
        : holders[0].original,
    isStale: isStale(instance, facts),
    ...(others.length === 0 ? {} : { heldBy: others }),
    ...(seenBy === undefined ? {} : { seenBy }),
  };
}

function nameOf(instance: Instance, uuid: string): string {
  return readRecord(instance, uuid)?.name ?? uuid;
}
