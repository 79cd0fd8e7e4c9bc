import { SvirtError, unlessRefused } from "../../errors.ts";
import { walkChain } from "../../images/chain.ts";
import type { ImageFormat } from "../../images/element.ts";
import { HEADER_BYTES, parseImageFormat, parseImageHeader } from "../../images/header.ts";
import type { NewImage } from "../../images/new-qcow2.ts";
import { imageSize } from "../../resolve/image-size.ts";
import { imageReader } from "../../resolve/inspect-file.ts";
import type { Instance } from "../../state/instance.ts";
import { notMade } from "../../storage/volume/creation-refusal.ts";

/**
 * Returns the capacity of a new volume above an image in bytes: the requested capacity, or the image's. The
 * image is inspected with its whole chain, as in a start. Throws "unsupported" for an encrypted qcow2 image,
 * and without a requested capacity for a raw image with a LUKS header.
 */
export function capacityAbove(
  instance: Instance,
  path: string,
  {
    below,
    requestedBytes = 0,
  }: { readonly below: NonNullable<NewImage["backing"]>; readonly requestedBytes: number | undefined },
): number {
  const format = parseImageFormat(below.format);
  refuseEncrypted(instance, { path: below.path, format, isSized: requestedBytes > 0 });
  const [image] = walkChain({ path: below.path, format, readOnly: true }, imageReader(instance));
  if (image === undefined) throw notMade("backingStore", `${path} has no backing file`);
  return requestedBytes || imageSize(instance, image);
}

function refuseEncrypted(
  instance: Instance,
  {
    format,
    isSized,
    path,
  }: { readonly path: string; readonly format: ImageFormat; readonly isSized: boolean },
): void {
  const reader = imageReader(instance);
  const facts = reader.facts(path);
  // The walk refuses these.
  if (facts?.type !== "file" && facts?.type !== "block") return;
  if (format !== "raw") {
    const bytes = reader.read(facts, 0, HEADER_BYTES);
    if (unlessRefused(() => parseImageHeader(bytes, format))?.encryption !== undefined) throw encrypted(path);
  } else if (!isSized && reader.formatOf(facts) === "luks") throw unknownSize(path);
}

function encrypted(path: string): SvirtError {
  return new SvirtError(`Cannot create a volume above ${path}: that image is encrypted`, {
    kind: "unsupported",
    place: "/volume/backingStore",
    remedy: "Clone it instead: svirt vol-clone. Or decrypt it: qemu-img convert.",
  });
}

/** Opened as LUKS, the guest sees less than the file's length. */
function unknownSize(path: string): SvirtError {
  return new SvirtError(
    `Cannot create a volume above ${path}: it begins with a LUKS header, and its capacity depends on whether a domain opens it as LUKS`,
    {
      kind: "unsupported",
      place: "/volume/capacity",
      remedy: "Write <capacity>, as vol-info shows it for an encrypted volume.",
    },
  );
}
