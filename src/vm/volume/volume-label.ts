import { SvirtError } from "../../errors.ts";
import { refuseWrittenPlace, type WrittenPlace } from "../../label/guest-places.ts";
import { isRoot, onlyRoot } from "../../labelling/require-root.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { getFileLabel } from "../../run/labels/get-file-label.ts";
import type { Instance } from "../../state/instance.ts";

// Rule: A new volume has the requested label, or the policy's if that is for guests' files.

/** New volume, and the label that its XML requests. */
interface LabelledVolume {
  readonly path: string;
  readonly folder: FileId;
  readonly requested: string | undefined;
}

/**
 * Returns the label of a new volume: the requested one, or the one that the policy's file_contexts have for
 * its path, if that is for guests' files. Undefined: it keeps the one that the kernel gives a new file in
 * that folder, or has none without SELinux. Throws as requestedLabel(), and "denied" for a label that an
 * ordinary user requests.
 */
export function decideVolumeLabel(
  instance: Instance,
  { folder, path, requested }: LabelledVolume,
): string | undefined {
  if (requested !== undefined) {
    if (!isRoot(instance)) throw onlyRoot(path);
    const {
      requestedLabel,
    }: typeof import("../../labelling/requested-label.ts") = require("../../labelling/requested-label.ts");
    const what = "the volume";
    return requestedLabel(instance, {
      label: requested,
      path,
      kind: "file",
      folderLabel: getFileLabel(instance.host, folder),
      what,
      place: "/volume/target/permissions/label",
    });
  }
  const isLabelled = instance.host.getSelinux().mode !== "disabled" && isRoot(instance);
  return isLabelled ? defaultLabel(instance, { folder, path }) : undefined;
}

function defaultLabel(
  { host }: Instance,
  { folder, path }: Pick<LabelledVolume, "folder" | "path">,
): string | undefined {
  const {
    defaultContextAt,
  }: typeof import("../../report/default-labels.ts") = require("../../report/default-labels.ts");
  const {
    keepsLabels,
  }: typeof import("../../run/labels/machine-marks.ts") = require("../../run/labels/machine-marks.ts");
  if (!host.withAttributes(folder, keepsLabels)) return undefined;
  const label = defaultContextAt(host, path, "file");
  return label !== undefined && isForGuests({ path, label, folderLabel: getFileLabel(host, folder) })
    ? label
    : undefined;
}

/**
 * Decides whether a label is for guests' files. An administrator may have given the folder such a label, and
 * the policy's is still that of the place.
 */
function isForGuests(place: Pick<WrittenPlace, "path" | "label" | "folderLabel">): boolean {
  try {
    refuseWrittenPlace({ ...place, kind: "file", listHomes: () => [] });
    return true;
  } catch (error) {
    if (error instanceof SvirtError && error.kind === "denied") return false;
    throw error;
  }
}
