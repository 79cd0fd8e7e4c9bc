import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { type FoundElement, walkChain } from "../../images/chain.ts";
import { HEADER_BYTES, parseImageHeader } from "../../images/header.ts";
import { resolveImageName } from "../../images/name.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import { imageReader, inspect } from "../../resolve/inspect-file.ts";
import type { Instance } from "../../state/instance.ts";
import type { RunningImage } from "./running-disk.ts";

/** Image on which another is placed. */
type ImageBelow = Pick<RunningImage, "found">;

/**
 * Inspects an image created by the user. Its header must name its future lower image, by its file, and no
 * file for its own data: QEMU would open such a file by its name. The next start follows the header if the
 * XML does not name the lower images. Throws "not-found" with the message `missing`, "unsupported".
 */
export function inspectReused(
  instance: Instance,
  options: {
    readonly image: {
      readonly path: string;
      readonly format: "raw" | "qcow2";
      readonly isEncrypted?: true | undefined;
    };
    readonly below: ImageBelow | undefined;
    readonly missing: string;
    /** Whether the XML will name the images below: writesBelow(). */
    readonly isWritten: boolean;
  },
): FileFacts {
  const { below, image, isWritten, missing } = options;
  if (inspect(instance.host, image.path) === undefined)
    throw new SvirtError(missing, {
      kind: "not-found",
      remedy: "Create the file, or leave --reuse-external out.",
    });
  const reader = imageReader(instance);
  const as = isWritten ? { below: "nothing" as const } : {};
  const [top, ...rest] = walkChain({ ...image, readOnly: false, ...as }, reader);
  const [data] = rest;
  if (data?.role === "data-file") throw dataFileRefusal(image.path, data.path);
  const next = isWritten && top !== undefined ? namedBelow(instance, top) : rest[0];
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

/** Image named by another image's header. */
type NamedImage = Pick<FoundElement<FileFacts>, "facts" | "path" | "role">;

function namedBelow(
  instance: Instance,
  { facts: own, format, path }: FoundElement<FileFacts>,
): NamedImage | undefined {
  const { host } = instance;
  const { backingFile } = parseImageHeader(host.readBytes(own.id, 0, HEADER_BYTES), format);
  if (backingFile === undefined) return undefined;
  const named = resolveImageName(path, backingFile).path;
  const facts = inspect(host, named);
  // A role of none of the lower images.
  return facts === undefined
    ? { path: named, facts: own, role: "top" }
    : { path: named, facts, role: "backing" };
}

function dataFileRefusal(path: string, data: string): SvirtError {
  return new SvirtError(`Cannot use ${path}: its header names the data file ${data}`, {
    kind: "unsupported",
    remedy: "Create it without -o data_file, or leave --reuse-external out.",
  });
}

function isBelow(is: NamedImage | undefined, meant: ImageBelow | undefined): boolean {
  if (is === undefined || meant === undefined) return is === undefined && meant === undefined;
  return is.role === "backing" && fileKey(is.facts.id) === fileKey(meant.found.facts.id);
}
