import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { type FoundElement, walkChain } from "../../images/chain.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import { imageReader, inspect } from "../../resolve/inspect-file.ts";
import type { Instance } from "../../state/instance.ts";
import type { RunningImage } from "./running-disk.ts";

/** Image on which another is placed. */
type ImageBelow = Pick<RunningImage, "found">;

/**
 * Inspects an image that the user created. Its header must name the image that it will be placed on, since the next
 * start follows the header. Throws "not-found" with the message `missing`, "unsupported".
 */
export function inspectReused(
  instance: Instance,
  options: {
    readonly image: { readonly path: string; readonly format: "raw" | "qcow2" };
    readonly below: ImageBelow | undefined;
    readonly missing: string;
  },
): FileFacts {
  const { below, image, missing } = options;
  if (inspect(instance.host, image.path) === undefined)
    throw new SvirtError(missing, {
      kind: "not-found",
      remedy: "Create the file, or leave --reuse-external out.",
    });
  const [top, next] = walkChain({ ...image, readOnly: false }, imageReader(instance.host));
  if (top !== undefined && isBelow(next, below)) return top.facts;
  const wanted = below === undefined ? "nothing" : below.found.path;
  throw new SvirtError(
    `Cannot use ${image.path}: its header names the backing file ${next?.path ?? "none"}, not ${wanted}`,
    {
      kind: "unsupported",
      remedy:
        "Create it with that backing file (qemu-img create -b FILE -F FORMAT), or leave --reuse-external out.",
    },
  );
}

function isBelow(is: FoundElement<FileFacts> | undefined, meant: ImageBelow | undefined): boolean {
  if (is === undefined || meant === undefined) return is === undefined && meant === undefined;
  return is.role === "backing" && fileKey(is.facts.id) === fileKey(meant.found.facts.id);
}
