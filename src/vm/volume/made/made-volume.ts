import { SvirtError } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import type { Volume } from "../../../storage/volume/document.ts";

/** New volume that is a device. */
export interface MadeVolume {
  readonly name: string;
  readonly path: string;
  /** Facts about its node, which is the one that the kernel has for this volume. */
  readonly facts: FileFacts;
}

/**
 * Returns the step that gives the node of a new volume the owner, group and mode in its XML; none without
 * them. An earlier step makes the device, unless it is given.
 */
export function ownSteps(
  path: string,
  { target: { permissions } }: Volume,
  device?: FileId,
): readonly StepOf<"own-device">[] {
  if (permissions === undefined) return [];
  const { group: gid, mode, owner: uid } = permissions;
  return [
    {
      do: "own-device",
      path,
      ...(device === undefined ? {} : { device }),
      ...(mode === undefined ? {} : { mode }),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    },
  ];
}

/** VIR_ERR_STORAGE_VOL_EXIST of libvirt */
export function alreadyThere(name: string): SvirtError {
  return new SvirtError(`storage volume '${name}' exists already`, {
    kind: "in-use",
    libvirt: "STORAGE_VOL_EXIST",
    remedy: "Choose another name.",
  });
}

/** Returns the error for a new volume whose path leads to no device, or to that of another volume. */
export function withoutNode(path: string): SvirtError {
  return new SvirtError(`cannot open volume '${path}': No such file or directory`, {
    kind: "failed",
    remedy:
      "Wait until udevd has made its node: udevadm settle. Then see whether the volume is there: svirt vol-list",
  });
}
