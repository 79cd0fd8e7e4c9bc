import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { HEADER_BYTES, parseImageHeader, probeImageFormat } from "../../images/header.ts";
import { resolveImageName } from "../../images/name.ts";
import { physicalSize } from "../../resolve/image-size.ts";
import { getFileLabel } from "../../run/labels/file-label.ts";
import type { Instance } from "../../state/instance.ts";
import type { Permissions } from "../../storage/permissions.ts";
import type { Volume } from "../../storage/volume/document.ts";

type Image = Pick<Volume, "capacityBytes" | "backingStore"> & { readonly format: string };

/**
 * Describes an image or a block device as a storage volume: sizes, permissions, label. Its format comes from its first bytes,
 * which a guest may have written: the result is for display, and no start uses it. Throws "not-found", "unsupported" for any
 * other kind of file, "failed" for a broken header.
 */
export function showVolume(instance: Instance, path: string): Volume {
  const facts = instance.host.withInspected(path, (file) => file.facts);
  if (facts === undefined) throw missingVolume(path);
  const { type } = facts;
  if (type !== "file" && type !== "block") throw noVolume(path, type);
  const physicalBytes = physicalSize(instance, { path, facts });
  const image = readImage(instance, facts, physicalBytes);
  return {
    type,
    name: facts.id.path.slice(facts.id.path.lastIndexOf("/") + 1),
    key: facts.id.path,
    ...(image.capacityBytes === undefined ? {} : { capacityBytes: image.capacityBytes }),
    allocationBytes: type === "file" ? facts.allocatedBytes : physicalBytes,
    physicalBytes,
    target: targetOf(instance, facts, image.format),
    ...(image.backingStore === undefined ? {} : { backingStore: image.backingStore }),
  };
}

function readImage(instance: Instance, facts: FileFacts, physicalBytes: number): Image {
  const bytes = instance.host.readBytes(facts.id, 0, HEADER_BYTES);
  const format = probeImageFormat(bytes);
  if (format === "raw") return { format, capacityBytes: physicalBytes };
  if (format !== "qcow2" && format !== "qed") return { format };
  const { backingFile, backingFormat, virtualSizeBytes = 0 } = parseImageHeader(bytes, format);
  const below = backingFile === undefined ? undefined : resolveImageName(facts.id.path, backingFile);
  return {
    format,
    capacityBytes: virtualSizeBytes,
    ...(below === undefined
      ? {}
      : { backingStore: backingOf(instance, below.path, below.format ?? backingFormat) }),
  };
}

/** Describes a backing image, even a missing one. */
function backingOf(
  instance: Instance,
  path: string,
  format: string | undefined,
): NonNullable<Volume["backingStore"]> {
  const facts = instance.host.inspectFile(path);
  return {
    path,
    ...(format === undefined ? {} : { format: { type: format } }),
    ...(facts === undefined ? {} : { permissions: permissionsOf(instance, facts) }),
  };
}

function targetOf(instance: Instance, facts: FileFacts, format: string): Volume["target"] {
  return {
    path: facts.id.path,
    format: { type: format },
    permissions: permissionsOf(instance, facts),
    nocow: false,
  };
}

function permissionsOf(instance: Instance, facts: FileFacts): Permissions {
  const label = getFileLabel(instance.host, facts.id);
  return {
    mode: facts.mode,
    owner: facts.uid,
    group: facts.gid,
    ...(label === undefined ? {} : { label }),
  };
}

function missingVolume(path: string): SvirtError {
  return new SvirtError(`Cannot access file '${path}': No such file or directory`, {
    kind: "not-found",
    libvirt: "NO_STORAGE_VOL",
    remedy: "Correct the path.",
  });
}

function noVolume(path: string, type: string): SvirtError {
  return new SvirtError(`Cannot show ${path} as a volume: it is a ${type}, not a file or block device`, {
    kind: "unsupported",
    remedy: "Name an image file or a block device.",
  });
}
