import { walkChain } from "../../images/chain.ts";
import { parseImageFormat } from "../../images/header.ts";
import type { NewImage } from "../../images/new-qcow2.ts";
import { imageSize } from "../../resolve/image-size.ts";
import { imageReader } from "../../resolve/inspect-file.ts";
import type { Instance } from "../../state/instance.ts";
import { notMade } from "../../storage/volume/not-made.ts";

/** Returns the size of the backing image of a new volume in bytes. The image is inspected with its whole chain, as in a start. */
export function sizeOfBacking(
  instance: Instance,
  path: string,
  below: NonNullable<NewImage["backing"]>,
): number {
  const format = parseImageFormat(below.format);
  const [image] = walkChain({ path: below.path, format, readOnly: true }, imageReader(instance.host));
  if (image === undefined) throw notMade("backingStore", `${path} has no backing file`);
  return imageSize(instance, image);
}
