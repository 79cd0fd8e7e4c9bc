import { SvirtError } from "../../errors.ts";
import { walkChain } from "../../images/chain.ts";
import { parseImageFormat } from "../../images/header.ts";
import { formatNewImage, type NewImage } from "../../images/new-qcow2.ts";
import { belongsToHost } from "../../label/protected-paths.ts";
import { setLabel } from "../../labelling/set-label.ts";
import { imageSize } from "../../resolve/image-size.ts";
import { imageReader } from "../../resolve/inspect-file.ts";
import { placeOfMade } from "../../resolve/written-place.ts";
import type { Instance } from "../../state/instance.ts";
import type { Volume } from "../../storage/volume/document.ts";

/** Mode of a volume's file if its XML has none. As VIR_STORAGE_DEFAULT_VOL_PERM_MODE of libvirt */
const DEFAULT_MODE = 0o600;
const COMPAT = "1.1";

/**
 * Makes the empty image of a volume in a folder, with the requested label, and returns its path. On failure no image is left.
 * Disk space is allocated as the guest writes. Throws "unsupported" for a volume that svirt does not make, "not-found"
 * without the folder. Throws "denied" for a folder of the host or a label that the policy does not know, "host-call" if the
 * file exists.
 */
export async function createVolume(instance: Instance, folder: string, volume: Volume): Promise<string> {
  const path = pathOf(instance, folder, volume);
  refuseUnmade(volume);
  const image = newImage(instance, path, volume);
  const bytes = formatNewImage(image);
  const { label, mode = DEFAULT_MODE } = volume.target.permissions ?? {};
  const sizeBytes = image.format === "raw" ? image.sizeBytes : bytes.length;
  instance.host.makeFile(path, mode, { bytes, sizeBytes });
  if (label === undefined) return path;
  try {
    await setLabel(instance, { path, isDryRun: false }, label);
  } catch (error) {
    instance.host.removeFile(path);
    throw error;
  }
  return path;
}

function pathOf(instance: Instance, folder: string, { name, target }: Volume): string {
  const found = instance.host.inspectFile(folder);
  if (found?.type !== "folder") {
    throw new SvirtError(`Cannot create a volume in ${folder}: that is not a folder`, {
      kind: found === undefined ? "not-found" : "unsupported",
      remedy: "Name an existing folder for the volume.",
    });
  }
  const path = `${found.id.path.replace(/[/]$/, "")}/${name}`;
  if (belongsToHost(path)) {
    throw new SvirtError(`Cannot create a volume in ${folder}: that folder belongs to the host`, {
      kind: "denied",
      remedy: "Name a folder for images.",
    });
  }
  if (/[/]|^[.]{1,2}$/.test(name)) throw notMade("name", "the name must be a file name");
  placeOfMade(instance.host, path);
  if (target.path !== undefined && target.path !== path && target.path !== `${folder}/${name}`)
    throw notMade("target/path", `the path must be ${path}`);
  return path;
}

/** Refuses each requested property that the new volume would not have. */
function refuseUnmade({ source, target, type }: Volume): void {
  const { clusterBytes, compat = COMPAT, encryption, features, nocow, permissions } = target;
  if (type !== "file") throw notMade("@type", "svirt creates volumes in files only");
  if (source !== undefined) throw notMade("source", "svirt creates volumes in files only");
  if (encryption !== undefined) throw notMade("target/encryption", "svirt does not create encrypted images");
  if (compat !== COMPAT)
    throw notMade("target/compat", `svirt creates qcow2 images of version ${COMPAT} only`);
  if (nocow) throw notMade("target/nocow", "svirt does not set this");
  if (clusterBytes !== undefined) throw notMade("target/clusterSize", "svirt creates clusters of 64 KiB");
  if (features?.lazyRefcounts === true || features?.extendedL2 === true)
    throw notMade("target/features", "svirt creates qcow2 images without further features");
  if ((permissions?.owner ?? 0) !== 0 || (permissions?.group ?? 0) !== 0)
    throw notMade(
      "target/permissions",
      "volumes belong to root: a guest receives its disks as open descriptors",
    );
}

function newImage(instance: Instance, path: string, volume: Volume): NewImage {
  const { backingStore, capacityBytes = 0, target } = volume;
  const format = target.format?.type ?? "raw";
  if (format !== "raw" && format !== "qcow2")
    throw notMade("target/format", `svirt creates raw and qcow2 images, not ${format}`);
  if (backingStore === undefined) return { format, sizeBytes: capacityBytes };
  if (format === "raw") throw notMade("backingStore", "a raw image has no backing file");
  const below = { path: backingStore.path, format: backingStore.format?.type ?? "raw" };
  return { format, backing: below, sizeBytes: capacityBytes || sizeOf(instance, path, below) };
}

/** Returns the size of the backing image, which is inspected with its whole chain, as in a start. */
function sizeOf(
  instance: Instance,
  path: string,
  below: { readonly path: string; readonly format: string },
): number {
  const format = parseImageFormat(below.format);
  const [image] = walkChain({ path: below.path, format, readOnly: true }, imageReader(instance.host));
  if (image === undefined) throw notMade("backingStore", `${path} has no backing file`);
  return imageSize(instance, image);
}

function notMade(place: string, why: string): SvirtError {
  return new SvirtError(`Cannot create the volume: /volume/${place}: ${why}`, {
    kind: "unsupported",
    remedy: "Correct the element, or remove it.",
  });
}
