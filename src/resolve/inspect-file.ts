import { asSvirtError, SvirtError } from "../errors.ts";
import type { FileType } from "../host/file-attributes.ts";
import type { FileFacts } from "../host/files.ts";
import type { Host } from "../host/host.ts";
import type { ImageReader } from "../images/chain.ts";
import { refuseImpossibleTarget } from "../label/protected-paths.ts";
import { PENDING_FILE } from "../plan/facts/file-key.ts";
import type { Instance } from "../state/instance.ts";

/**
 * Inspects a file. Checks its name first, because svirt's domain is not even permitted to inspect some files;
 * then checks the target of its symlinks.
 */
export function inspect(host: Host, path: string): FileFacts | undefined {
  refuseImpossibleTarget(path);
  const facts = host.inspectFile(path);
  if (facts !== undefined) refuseImpossibleTarget(facts.id.path);
  return facts;
}

/** Returns the facts of a file; undefined if it is missing, or svirt may not inspect it. */
export function inspectIfPermitted(host: Host, path: string): FileFacts | undefined {
  try {
    return host.inspectFile(path);
  } catch (error) {
    if (asSvirtError(error).kind === "no-access") return undefined;
    throw error;
  }
}

/** Returns a reader for the chain of an image on the host, with `overlays` that exist or are planned. */
export function imageReader(
  instance: Instance,
  overlays: ReadonlyMap<string, Uint8Array> = new Map(),
): ImageReader<FileFacts> {
  const { host } = instance;
  return {
    facts: (path) =>
      overlays.has(path) ? (host.inspectFile(path) ?? factsOfPlanned(path)) : inspect(host, path),
    read: ({ id }, offset, length) =>
      overlays.get(id.path)?.slice(offset, offset + length) ?? host.readBytes(id, offset, length),
    formatOf(facts) {
      // Nearly every image records the format of the image below it.
      const {
        fileFormats,
      }: typeof import("./formats/file-formats.ts") = require("./formats/file-formats.ts");
      return fileFormats(instance).of(facts);
    },
  };
}

/** Returns the facts of a file that a start would create: only its path is known. */
export function factsOfPlanned(path: string): FileFacts {
  return {
    id: { path, ...PENDING_FILE },
    type: "file",
    sizeBytes: 0,
    allocatedBytes: 0,
    modifiedMs: 0,
    times: { accessedNs: 0n, modifiedNs: 0n, changedNs: 0n },
    uid: 0,
    gid: 0,
    mode: 0o600,
  };
}

/** Error for a missing file. */
export function missing(path: string): SvirtError {
  return new SvirtError(`Cannot access file '${path}': No such file or directory`, {
    kind: "not-found",
    remedy: "Create the file, or correct the path.",
  });
}

/** Error for any but a regular file. */
export function wrongType(path: string, type: FileType): SvirtError {
  return new SvirtError(`Cannot use ${path}: it is a ${type}, not a file`, {
    kind: "unsupported",
    remedy: "Name a regular file.",
  });
}
